"""Event files through TensorBoard's own code.

usage: tensorboard_events.py write FILE     writes the events of tests/golden/tensorboard
       tensorboard_events.py read FOLDER    prints the scalars that TensorBoard would show, as JSON:
                                            for each tag a list of [wall time, step, value]
"""

import json
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter


def summary(values):
    return Summary(value=[Summary.Value(tag=tag, simple_value=value) for tag, value in values])


def write(path):
    start = SessionLog(status=SessionLog.START)
    many = [("loss/train", 11.09), ("lr", 0.03), ("é" * 150, -1e-30)]
    odd = [("", float("nan")), ("x", float("inf"))]
    events = [
        Event(wall_time=1500000000.25, file_version="brain.Event:2"),
        Event(wall_time=1500000001, session_log=start),
        Event(wall_time=1500000001, step=300, session_log=start),
        Event(wall_time=1500000002.5, summary=summary([("loss", 0.0)])),
        Event(wall_time=1500000003, step=(2**32 - 1) * 16, summary=summary(many)),
        Event(step=1, summary=summary(odd)),
        Event(wall_time=1, step=2**63 - 1, summary=Summary()),
    ]
    with open(path, "wb") as file:
        writer = RecordWriter(file)
        for event in events:
            writer.write(event.SerializeToString())


def read(folder):
    accumulator = EventAccumulator(folder, size_guidance={"scalars": 0})
    accumulator.Reload()
    shown = {}
    for tag in accumulator.Tags()["scalars"]:
        events = accumulator.Scalars(tag)
        shown[tag] = [[event.wall_time, event.step, event.value] for event in events]
    print(json.dumps(shown))


def main():
    commands = {"write": write, "read": read}
    if len(sys.argv) != 3 or sys.argv[1] not in commands:
        sys.exit(__doc__)
    commands[sys.argv[1]](sys.argv[2])


if __name__ == "__main__":
    main()
