"""Whether operations are recorded: no_grad and the like."""

from ._types import needs, only

RECORDING = [True]  # what is_grad_enabled() returns
INFERENCE = [False]


class Mode:
    """Switch recording on or off; what was before comes back at the end."""

    def __init__(self, *function):
        only(not function, f"{type(self).__name__} with an argument")

    def __call__(self, function):
        needs(f"{type(self).__name__} around a function")

    def __enter__(self):
        self.before = RECORDING[0], INFERENCE[0]
        self.switch()

    def __exit__(self, *error):
        RECORDING[0], INFERENCE[0] = self.before


class no_grad(Mode):
    def switch(self):
        RECORDING[0] = False


class enable_grad(Mode):
    def switch(self):
        RECORDING[0] = not INFERENCE[0]


class inference_mode(Mode):
    def switch(self):
        RECORDING[0], INFERENCE[0] = False, True


class set_grad_enabled:
    """Switches at once; after `with`, what was before comes back."""

    def __init__(self, mode):
        only(type(mode) is bool, "set_grad_enabled but of True and False")
        self.before, self.mode = RECORDING[0], mode
        RECORDING[0] = mode

    def __enter__(self):
        RECORDING[0] = self.mode

    def __exit__(self, *error):
        RECORDING[0] = self.before

    def __call__(self, function):
        needs("set_grad_enabled around a function")


def is_grad_enabled():
    return RECORDING[0]
