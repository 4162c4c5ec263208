"""Findings that follow from what others have measured."""

from kerasseq.doctor._finding import finding, some

_WHAT = {
    "incorrect": "computed such ops wrongly in a graph, without an error",
    "crash": "crashed, or did not compile a graph, on such ops",
    "fallback": "left such ops to the CPU",
    "partial": "took only some of such ops",
}


def _measured(content):
    measured = content.get("measured")
    if not measured:
        return
    source = f"{measured['backend']} {measured['version']}, {measured['date']}"
    for status, what in _WHAT.items():
        counts = {n: c[status] for n, c in measured["ops"].items() if status in c}
        if counts:
            seen = "; ".join(filter(None, (measured["conditions"][n] for n in counts)))
            yield finding(
                "warning",
                f"Measured: the runtime {what} ({source}).",
                some(counts),
                f"Compare with the CPU on the device. What was seen: {seen[:600]}"
                if seen
                else "Compare with the CPU on the device.",
            )
    unknown = {n: c["unknown"] for n, c in measured["ops"].items() if "unknown" in c}
    if unknown:
        yield finding(
            "note",
            f"Ops of which nothing was measured ({source}).",
            some(unknown),
            "Run the file on the device.",
        )
    if measured["disagreements"]:
        words = [
            f"{name} (the list {x['list']}, measured: {x['measured']})"
            for name, x in measured["disagreements"].items()
        ]
        yield finding(
            "note",
            "The delegate's list and the measurement disagree; the measurement is of "
            f"one device and version ({source}).",
            some(words),
            "Believe what your device does.",
        )


RULES = (_measured,)
