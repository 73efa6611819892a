"""Automatic differentiation: what chapter 3 tells, as a program.

Each operation that must be remembered leaves a Node: where its inputs came
from, and for each input a function that turns the gradient of the result into
the gradient of that input (the chain rule, one step of it). `backward` goes
through the nodes from the last to the first, and adds up what arrives at the
leaves in their `grad`.
"""

from itertools import count

from ._printing import FREED, changed
from ._types import Partial, known, needs, only, refusing

MODE = [True, False]  # whether operations are recorded; inference_mode


class Mode(Partial):
    """Switches recording; what was before comes back at the end."""

    wanted = (False, False)

    def __init__(self, *function):
        only(not function, f"{type(self).__name__} with an argument")

    def __call__(self, function):
        needs(f"{type(self).__name__} around a function")

    def __enter__(self):
        only(not MODE[1], "a mode in inference_mode")
        self.before, MODE[:] = MODE[:], self.wanted

    def __exit__(self, *error):
        MODE[:] = self.before


class no_grad(Mode):
    """Nothing is recorded inside."""


class enable_grad(Mode):
    """All is recorded inside."""

    wanted = (True, False)


class inference_mode(Mode):
    """What is made inside can never be recorded."""

    wanted = (False, True)


class set_grad_enabled(Mode):
    """Switches at once; after `with`, what was before comes back."""

    def __init__(self, mode):
        only(type(mode) is bool, "set_grad_enabled but of True and False")
        self.wanted = (mode, False)
        super().__enter__()

    def __enter__(self):
        MODE[:] = self.wanted


def is_grad_enabled():
    return MODE[0]


numbers = count()
KINDS = {}  # a class of nodes for each name, as PyTorch has


class Node(Partial):
    """One step of a computation, and the way back through it."""

    def __init__(self, inputs, slopes, saved, result):
        self._number = next(numbers)  # a result comes after its inputs
        self._sources = [source(tensor) for tensor in inputs]
        self._inputs = [(tensor._shape, tensor._dtype) for tensor in inputs]
        self._slopes = slopes
        self._saved = [(t, t._changes[0], t is result) for t in saved]

    def __call__(self, *gradients):
        needs("calling grad_fn")

    def check_saved(self):
        """Raise if what a slope needs is gone, or has changed since."""
        if self._slopes is None:
            raise RuntimeError(FREED)
        for tensor, version, own in self._saved:
            if tensor._changes[0] != version:
                changed(tensor, version, self if own else tensor._node)

    def free(self):
        """Forget the saved tensors: they may be large."""
        if self._saved:
            self._saved = self._slopes = None


def follows(tensor):
    """Whether this is a view, not recorded, of what requires gradients."""
    base = tensor._base
    return base is not None and base._requires and tensor._node is None


def source(tensor):
    """Where a gradient of this tensor goes: a node, a leaf, or nowhere."""
    if tensor._requires:
        return tensor._node or tensor
    only(not follows(tensor), "gradients of a view that was not recorded")
    return None


def record(result, name, inputs, slopes, saved=()):
    """Remember how `result` was computed, if somebody may ask."""
    if MODE[0] and True in [tensor._requires for tensor in inputs]:
        silent = True in [tensor._inference for tensor in inputs]
        only(not silent, "gradients of inference_mode")
        if name not in KINDS:
            KINDS[name] = type(name, (Node,), {"__module__": "builtins"})
        result._node = KINDS[name](inputs, slopes, saved, result)
        result._requires = True
    elif MODE[0] and any(map(follows, inputs)):
        needs("gradients of a view that was not recorded")
    return result


def reached(root):
    """All nodes that the root depends on, last computed first."""
    found, waiting = set(), [root]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Node) and node not in found:
            found.add(node)
            waiting += [s for s in node._sources if s is not None]
    return sorted(found, key=lambda node: -node._number)


def leading_to(wanted, nodes):
    """Of these nodes, those from which a way leads to what is wanted."""
    leading = set()
    for node in reversed(nodes):
        if any(s in wanted or s in leading for s in node._sources):
            leading.add(node)
    return [node for node in nodes if node in leading]


def gradients(root, start, retain, wanted):
    """Go back from the root; return what arrives at leaves and `wanted`."""
    nodes = reached(root)
    if wanted:
        nodes = leading_to(wanted, nodes)
    arrived = {root: start}
    for node in nodes:
        if node not in arrived:
            continue
        gradient = arrived[node]
        if node not in wanted:
            del arrived[node]
        try:
            node.check_saved()
        except RuntimeError:  # PyTorch may have changed their `grad`
            only(all(isinstance(n, Node) for n in arrived), "half of this")
            raise
        for where, slope, (shape, dtype) in zip(
            node._sources, node._slopes, node._inputs, strict=True
        ):
            if where is not None:
                part = slope(gradient)
                if part._shape != shape:  # the input was broadcast
                    part = part._sum_to(shape)
                if part._dtype is not dtype:
                    part = part._as(dtype)
                if where in arrived:  # what is used twice gets both
                    part = arrived[where] + part
                arrived[where] = part
        if not retain:
            node.free()
    return arrived


def start_of(tensor, given):
    """What the backward pass starts from: 1 for a number."""
    right = given is None or type(given) is type(tensor)
    right = right and (given is None or given._shape == tensor._shape)
    only(right, "backward() with this argument")
    if not tensor._requires:
        raise RuntimeError(
            "element 0 of tensors does not require grad and does not have a "
            "grad_fn"
        )
    if given is not None:
        return given._as(tensor._dtype)
    if tensor.numel() != 1:
        raise RuntimeError(
            "grad can be implicitly created only for scalar outputs"
        )
    return tensor._ones()


def run(tensor, given, retain, wanted=()):
    """Do a backward pass."""
    right = retain is None or type(retain) is bool
    right = right and not MODE[1] and not follows(tensor)
    only(right, "a backward pass of this kind")
    with no_grad():
        start = start_of(tensor, given)
        return gradients(source(tensor), start, retain, wanted)


def add_up(tensor, given, retain_graph):
    """Add the gradient of `tensor` to the `grad` of each leaf."""
    arrived = run(tensor, given, retain_graph)
    only(sum(bool(x._hooks) for x in arrived) < 2, "hooks of many tensors")
    data = [id(x._data) for x in (*arrived.values(), given) if x is not None]
    with no_grad():
        for leaf, gradient in arrived.items():
            alone = gradient._base is None or 0 in (gradient._strides or ())
            alone = alone or data.count(id(gradient._data)) < 2
            only(alone and leaf._requires, "gradients of this kind")
            for hook in leaf._hooks:
                only(hook(gradient) is None, "a hook that returns something")
            if leaf._grad is None:
                leaf._grad = gradient._copy()
            else:
                leaf._grad += gradient


@known
def grad(outputs, inputs, *, retain_graph=None, allow_unused=False):
    """Return the gradients of one output with respect to inputs."""
    inputs = tuple(inputs) if isinstance(inputs, (tuple, list)) else (inputs,)
    right = inputs and type(allow_unused) is bool
    right = right and all(hasattr(t, "_requires") for t in (outputs, *inputs))
    right = right and all(t._requires and not t._hooks for t in inputs)
    only(right, "autograd.grad with these arguments")
    wanted = [source(tensor) for tensor in inputs]
    arrived = run(outputs, None, retain_graph, {*wanted})
    found = tuple(arrived.get(where) for where in wanted)
    unused = any(gradient is None for gradient in found)
    only(allow_unused or not unused, "grad of what is not used")
    return found


__getattr__ = refusing("torch.autograd")
