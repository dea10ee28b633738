"""Peak memory of reading 200,000 images, against the size of the frame.

Peak: VmHWM of the process, reset to the present memory (by /proc/self/clear_refs) after a small listing has brought in
every library; where the kernel does not allow that, the peak of the whole life. Growth: that peak less the memory then.
Frame: Arrow and numpy buffers as they are, and each Python object once, however many rows share it. That is the
smallest honest figure, so the ratio is the largest; pandas' own `memory_usage(deep=True)` is shown beside it (it counts
the lists but not the texts in them).
"""

import json
import sys
from pathlib import Path

import measure


def read_status(name: str) -> int:
    """Return one figure of /proc/self/status in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name + ":"))


def reset_peak() -> bool:
    """Ask the kernel to forget the peak; say whether it did."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return False
    return True


def object_bytes(values: object, seen: set[int]) -> int:
    """Return the bytes of a Python object and of all it holds, each counted once."""
    if id(values) in seen:
        return 0
    seen.add(id(values))
    inner = sum(object_bytes(value, seen) for value in values) if isinstance(values, (list, tuple)) else 0
    return sys.getsizeof(values) + inner


def frame_bytes(frame) -> int:
    """Return the bytes of a frame's columns and index."""
    seen, total = set(), frame.index.memory_usage(deep=False)
    for name in frame.columns:
        column = frame[name]
        total += column.memory_usage(index=False, deep=False)
        if column.dtype == object:
            total += sum(object_bytes(value, seen) for value in column)
    return total


def main() -> None:
    url = sys.argv[2]
    import doimages

    client = doimages.connect(token=measure.TOKEN, base_url=url)
    doimages.read_do_images(client=client)
    print("warm", flush=True)
    sys.stdin.readline()
    is_reset, before = reset_peak(), read_status("VmRSS")
    frame = doimages.read_do_images(client=client)
    peak, after = read_status("VmHWM"), read_status("VmRSS")
    size = frame_bytes(frame)
    answer = {
        "rows": len(frame),
        "is_peak_reset": is_reset,
        "before_megabytes": before / 1e6,
        "growth_megabytes": (peak - before) / 1e6,
        "kept_megabytes": (after - before) / 1e6,
        "frame_megabytes": size / 1e6,
        "memory_usage_megabytes": int(frame.memory_usage(deep=True).sum()) / 1e6,
        "ratio": (peak - before) / size,
    }
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
