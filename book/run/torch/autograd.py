"""Automatic differentiation: what chapter 3 tells, as a program.

Each operation that must be remembered leaves a Node: where its inputs came
from, and for each input a function that turns the gradient of the result into
the gradient of that input (the chain rule, one step of it). `backward` goes
through the nodes from the last to the first, and adds up what arrives at the
leaves in their `grad`.
"""

from itertools import count

from ._modes import INFERENCE, RECORDING, set_grad_enabled
from ._types import Partial, needs, only

numbers = count()
FREED = (
    "Trying to backward through the graph a second time (or directly access "
    "saved tensors after they have already been freed). Saved intermediate "
    "values of the graph are freed when you call .backward() or "
    "autograd.grad(). Specify retain_graph=True if you need to backward "
    "through the graph a second time or if you need to access saved tensors "
    "after calling backward."
)


class Node(Partial):
    """One step of a computation, and the way back through it."""

    def __init__(self, inputs, slopes, saved, result):
        self.number = next(numbers)  # a result comes after its inputs
        self.at = inputs[0]._version[0]
        self.sources = [source(tensor) for tensor in inputs]
        self.inputs = [(tensor._shape, tensor._dtype) for tensor in inputs]
        self.slopes = slopes
        self.saved = [(t, t._version[0], t is result) for t in saved]

    def __repr__(self):
        return f"<{type(self).__name__} object at {id(self):#x}>"

    def check_saved(self):
        """Raise if what a slope needs is gone, or has changed since."""
        if self.slopes is None:
            raise RuntimeError(FREED)
        for tensor, version, own in self.saved:
            if tensor._version[0] != version:
                changed(tensor, version, self if own else tensor._node)

    def free(self):
        """Forget the saved tensors: they may be large."""
        if self.saved:
            self.saved = self.slopes = None


KINDS = {}  # a class for each name, as PyTorch has


def source(tensor):
    """Where a gradient of this tensor goes: a node, a leaf, or nowhere."""
    return tensor._node or (tensor if tensor._requires else None)


def changed(tensor, version, node):
    """Say which saved tensor was changed in place."""
    which = ""
    if node:
        name = type(node).__name__.partition("Backward")[0]
        which = f", which is output 0 of {name},"
    raise RuntimeError(
        "one of the variables needed for gradient computation has been "
        f"modified by an inplace operation: [torch.{tensor._dtype.long}Tensor "
        f"{list(tensor._shape)}]{which} is at version {tensor._version[0]}; "
        f"expected version {version} instead. Hint: enable anomaly detection "
        "to find the operation that failed to compute its gradient, with "
        "torch.autograd.set_detect_anomaly(True, check_nan=False)."
    )


def record(result, name, inputs, slopes, saved=()):
    """Remember how `result` was computed, if somebody may ask."""
    if RECORDING[0] and True in [tensor._requires for tensor in inputs]:
        silent = True in [tensor._inference for tensor in inputs]
        only(not silent, "gradients of inference_mode")
        if name not in KINDS:
            KINDS[name] = type(name, (Node,), {})
        result._node = KINDS[name](inputs, slopes, saved, result)
        result._requires = True
    return result


def reached(roots):
    """All nodes that the roots depend on, last computed first."""
    found, waiting = set(), list(roots)
    while waiting:
        node = waiting.pop()
        if isinstance(node, Node) and node not in found:
            found.add(node)
            waiting += [s for s in node.sources if s is not None]
    return sorted(found, key=lambda node: -node.number)


def leading_to(wanted, nodes):
    """Of these nodes, those from which a way leads to what is wanted."""
    leading = set()
    for node in reversed(nodes):
        if any(s in wanted or s in leading for s in node.sources):
            leading.add(node)
    return [node for node in nodes if node in leading]


def gradients(roots, starts, retain, wanted):
    """Go back from the roots; return what arrives at leaves and `wanted`."""
    nodes = reached(roots)
    if wanted:
        nodes = leading_to(wanted, nodes)
    arrived = {}
    for where, start in zip(roots, starts, strict=True):
        add(arrived, where, start)
    for node in nodes:
        if node not in arrived:
            continue
        gradient = arrived[node]
        if node not in wanted:
            del arrived[node]
        node.check_saved()
        for where, slope, (shape, dtype) in zip(
            node.sources, node.slopes, node.inputs, strict=True
        ):
            if where is not None:
                part = slope(gradient)
                if part._shape != shape:  # the input was broadcast
                    part = part._sum_to(shape)
                if part._dtype is not dtype:
                    part = part._as(dtype)
                add(arrived, where, part)
        if not retain:
            node.free()
    return arrived


def add(arrived, where, gradient):
    """What is used twice gets the sum of two gradients."""
    if where in arrived:
        gradient = arrived[where] + gradient
    arrived[where] = gradient


def start_of(i, tensor, given):
    """What the backward pass starts from: 1 for a number."""
    right = given is None or isinstance(given, type(tensor))
    only(right, "backward() with this argument")
    if not tensor._requires:
        raise RuntimeError(
            f"element {i} of tensors does not require grad and does not have "
            "a grad_fn"
        )
    if given is None:
        if tensor.numel() != 1:
            raise RuntimeError(
                "grad can be implicitly created only for scalar outputs"
            )
        return tensor._like(1)
    if given._shape != tensor._shape:
        raise RuntimeError(
            f"Mismatch in shape: grad_output[{i}] has a shape of "
            f"{given.shape} and output[{i}] has a shape of {tensor.shape}."
        )
    return given._as(tensor._dtype)


def run(tensors, given, retain, create, wanted=()):
    """Do a backward pass."""
    only(not INFERENCE[0], "a backward pass in inference_mode")
    retain = create if retain is None else retain
    with set_grad_enabled(create):
        pairs = enumerate(zip(tensors, given, strict=True))
        starts = [start_of(i, *pair) for i, pair in pairs]
        roots = [source(tensor) for tensor in tensors]
        return gradients(roots, starts, retain, wanted)


def backward(tensor, gradient=None, retain_graph=None, create_graph=False):
    """Add the gradient of `tensor` to the `grad` of each leaf."""
    only(not create_graph, "backward(create_graph=True)")
    arrived = run((tensor,), (gradient,), retain_graph, False)
    for leaf, gradient in arrived.items():
        for hook in leaf._hooks:  # the reader's functions may replace it
            replaced = hook(gradient)
            gradient = gradient if replaced is None else replaced
        if leaf._grad is None:
            leaf._grad = gradient.detach().clone()
        else:
            leaf._grad.add_(gradient)


def grad(
    outputs,
    inputs,
    *,
    retain_graph=None,
    create_graph=False,
    allow_unused=False,
    **more,
):
    """Return the gradients of outputs with respect to inputs."""
    only(not more, "autograd.grad with these arguments")
    outputs, inputs = (
        tuple(some) if isinstance(some, (tuple, list)) else (some,)
        for some in (outputs, inputs)
    )
    for tensor in inputs:
        if not tensor._requires:
            raise RuntimeError(
                "One of the differentiated Tensors does not require grad"
            )
    wanted = [source(tensor) for tensor in inputs]
    given = [None] * len(outputs)
    arrived = run(outputs, given, retain_graph, create_graph, {*wanted})
    found = tuple(arrived.get(where) for where in wanted)
    unused = [i for i, gradient in enumerate(found) if gradient is None]
    if unused and not allow_unused:
        i = unused[0]
        raise RuntimeError(
            f"The differentiated Tensor at index {i} appears to not have been "
            "used in the graph. Set allow_unused=True if this is the desired "
            "behavior."
        )
    return found


def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError(name)
    needs(f"torch.autograd.{name}")
