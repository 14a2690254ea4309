"""TensorBoard's event files, written whole; needs neither torch nor TensorFlow."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter

from mrbench_tensorboard.scalars import Scalar

PREFIX = "events.out.tfevents."
"""What TensorBoard knows an event file by."""


def write_events(folder: Path, scalars: Sequence[Scalar], written: str) -> None:
    """Puts one event file in the place of what the folder had; none where there are no scalars.

    Args:
        written: when, in ISO 8601: TensorBoard's wall time.
    """
    time = datetime.fromisoformat(written).timestamp()
    whole = folder / f"{PREFIX}{int(time):010d}.mrbench"
    for old in folder.glob(f"{PREFIX}*"):
        old.unlink()
    if scalars:
        folder.mkdir(parents=True, exist_ok=True)
        partial = folder / "partial"
        _write(partial, scalars, time)
        partial.rename(whole)


def _write(path: Path, scalars: Sequence[Scalar], time: float) -> None:
    with path.open("wb") as file:
        writer = RecordWriter(file)
        writer.write(Event(wall_time=time, file_version="brain.Event:2").SerializeToString())
        for tag, step, value in scalars:
            summary = Summary(value=[Summary.Value(tag=tag, simple_value=value)])
            writer.write(Event(wall_time=time, step=step, summary=summary).SerializeToString())
