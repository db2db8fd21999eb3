"""``python -m dgm_core zoo``: re-make the shipped models, or check them."""

from __future__ import annotations

import time

from dgm_core.cli.parser import Parser, UsageError, note


def run(argv: list[str]) -> int:
    """Re-make or check shipped models, all or those named."""
    parser = Parser(
        prog="python -m dgm_core zoo", description="Re-make the shipped models with their own declarations."
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these")
    parser.add_argument("--check", action="store_true", help="verify that each loads and meets its recorded figures")
    parser.add_argument("--list", action="store_true", help="print their names")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps (default: auto)")
    parsed = parser.parse_args(argv)

    from dgm_core import zoo

    known = tuple(zoo.names())
    unknown = [name for name in parsed.names if name not in known]
    if unknown:
        raise UsageError(f"there is no shipped model {unknown[0]!r}; there are {', '.join(known)}")
    names = tuple(parsed.names) or known
    if parsed.list:
        print("\n".join(names))
        return 0
    return _check(names) if parsed.check else _make(names, parsed.device)


def _make(names: tuple[str, ...], device: str) -> int:
    from dgm_core import zoo
    from dgm_core.device import resolve
    from dgm_core.experiment import TrainingFailedError

    try:
        resolve(device)
    except ValueError as error:
        raise UsageError(f"--device: {error}") from error
    for name in names:
        began = time.monotonic()
        try:
            zoo.make(name, device)
        except TrainingFailedError as error:
            note(f"{name}: {error}")
            return 1
        print(f"{name}: made in {time.monotonic() - began:.1f} s", flush=True)
    return 0


def _check(names: tuple[str, ...]) -> int:
    from dgm_core import zoo
    from dgm_core.cli.tables import show
    from dgm_core.runs.files import DamagedFileError

    failed = 0
    rows: list[tuple[str, ...]] = []
    for name in names:
        try:
            checks = zoo.check(name)
        except (OSError, ValueError, DamagedFileError) as error:
            rows.append((name, f"does not load: {error}", "", "", "", "✗"))
            failed += 1
            continue
        for check in checks:
            numbers = (f"{check.measured:.5g} {check.unit}", f"{check.expected:.5g}", f"{check.kind} {check.error:.2g}")
            rows.append((name, check.name, *numbers, "✓" if check.passed else "✗"))
            failed += not check.passed
    show("shipped models", ("model", "what", "measured", "expected", "within", ""), rows)
    if failed:
        note(f"{failed} of {len(rows)} checks failed")
    return 1 if failed else 0
