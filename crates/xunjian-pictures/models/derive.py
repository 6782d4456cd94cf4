"""Makes detector.onnx, reader.onnx and characters.txt from the models in the Python package rapidocr 3.10.0.

    pip download --no-deps rapidocr==3.10.0 && unzip rapidocr-3.10.0-*.whl 'rapidocr/models/*' -d original
    pip install onnx==1.23.2 numpy==2.4.6 && python derive.py original/rapidocr/models .

The characters of the recogniser are in its metadata, under `character`.
"""

import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def constants(model):
    """Every tensor that the graph holds."""
    yield from model.graph.initializer
    for node in model.graph.node:
        if node.op_type == "Constant":
            yield from (attribute.t for attribute in node.attribute if attribute.name == "value")


def kept_characters():
    """ASCII, Latin, full-width forms, GB 2312 and Big5."""
    kept = {chr(c) for c in range(0x20, 0x7F)} | {chr(c) for c in range(0xFF01, 0xFF5F)}
    kept |= {chr(c) for c in range(0x2460, 0x24FF)} | {chr(c) for c in range(0xC0, 0x250)}
    kept |= set("の®©™°√×÷≈≤≥¥€£•·…—“”‘’")
    rows = [(range(0xA1, 0xF8), range(0xA1, 0xFF), "gb2312")]
    rows += [(range(0xA1, 0xC7), [*range(0x40, 0x7F), *range(0xA1, 0xFF)], "big5")]
    for leads, trails, encoding in rows:
        for lead in leads:
            for trail in trails:
                try:
                    kept.add(bytes([lead, trail]).decode(encoding))
                except UnicodeDecodeError:
                    pass
    return kept


def prune(model, characters):
    """Cuts the last layer down; class 0 is the blank, the last one the space."""
    classes, kept = len(characters) + 2, kept_characters()
    columns = [0] + [i + 1 for i, c in enumerate(characters) if c in kept or c == ""] + [classes - 1]
    for tensor in constants(model):
        if classes in tensor.dims:
            axis = list(tensor.dims).index(classes)
            cut = np.take(numpy_helper.to_array(tensor), columns, axis=axis).copy()
            tensor.CopyFrom(numpy_helper.from_array(cut, tensor.name))
    for output in model.graph.output:
        output.type.tensor_type.shape.dim[2].dim_value = len(columns)
    del model.graph.value_info[:]
    return [characters[i - 1] for i in columns[1:-1]]


def to_bytes(model):
    """Keeps large weights as int8 with a scale a channel."""
    graph = model.graph
    found = [(t, t.name) for t in graph.initializer]
    for node in graph.node:
        if node.op_type == "Constant":
            found += [(a.t, node.output[0]) for a in node.attribute if a.name == "value"]
    nodes, tensors, gone = [], [], set()
    for tensor, name in found:
        if tensor.data_type != TensorProto.FLOAT or np.prod(tensor.dims) < 512 or len(tensor.dims) < 2:
            continue
        weights = numpy_helper.to_array(tensor)
        axes = tuple(range(1, 4)) if weights.ndim == 4 else tuple(range(weights.ndim - 1))
        scale = np.abs(weights).max(axis=axes, keepdims=True) / 127
        scale[scale == 0] = 1
        tensors.append(numpy_helper.from_array(np.round(weights / scale).astype(np.int8), name + "__q"))
        tensors.append(numpy_helper.from_array(scale.astype(np.float32), name + "__s"))
        nodes.append(helper.make_node("Cast", [name + "__q"], [name + "__f"], to=TensorProto.FLOAT))
        nodes.append(helper.make_node("Mul", [name + "__f", name + "__s"], [name]))
        gone.add(name)
    initializers = [t for t in graph.initializer if t.name not in gone]
    others = [n for n in graph.node if not (n.op_type == "Constant" and n.output[0] in gone)]
    inputs = [i for i in graph.input if i.name not in gone]
    for field, values in [(graph.initializer, initializers + tensors), (graph.input, inputs), (graph.node, nodes + others)]:
        del field[:]
        field.extend(values)
    del model.metadata_props[:]


def main(source, target):
    detector = onnx.load(source / "PP-OCRv6_det_small.onnx")
    to_bytes(detector)
    onnx.save(detector, target / "detector.onnx")
    reader = onnx.load(source / "PP-OCRv6_rec_small.onnx")
    characters = next(p.value for p in reader.metadata_props if p.key == "character").split("\n")
    characters = prune(reader, characters)
    to_bytes(reader)
    onnx.save(reader, target / "reader.onnx")
    (target / "characters.txt").write_text("\n".join(characters), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
