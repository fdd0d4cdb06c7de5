"""Gives dcp_one the metadata that PyTorch 2 writes: its names of classes, and the keys a flat key was made of.

From the documented layout (torch/distributed/checkpoint/metadata.py), not by PyTorch 2.
"""
import enum
import os
import pathlib
import pickle
import shutil
import sys
import types


def module(name, *classes):
    made = types.ModuleType(name)
    for c in classes:
        c.__module__ = name
        c.__qualname__ = c.__name__
        setattr(made, c.__name__, c)
    sys.modules[name] = made


class Fields:
    def __init__(self, **fields):
        self.__dict__.update(fields)


class Metadata(Fields):
    pass


class MetadataIndex(Fields):
    pass


class TensorStorageMetadata(Fields):
    pass


class ChunkStorageMetadata(Fields):
    pass


class BytesStorageMetadata(Fields):
    pass


class StorageMeta(Fields):
    pass


class _StorageInfo(Fields):
    pass


class _MEM_FORMAT_ENCODING(enum.Enum):
    TORCH_CONTIGUOUS_FORMAT = 0

    # As every Python but 3.11 pickles a member.
    def __reduce_ex__(self, protocol):
        return self.__class__, (self._value_,)


class TensorProperties(Fields):
    def __getstate__(self):
        return self.dtype, self.layout, False, _MEM_FORMAT_ENCODING.TORCH_CONTIGUOUS_FORMAT, False


def write(here):
    source, target = os.path.join(here, "dcp_one"), os.path.join(here, "dcp_2")
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target)
    with open(os.path.join(source, ".metadata"), "rb") as file:
        old = pickle.load(file)
    module("torch.distributed.checkpoint")
    module("torch.distributed.checkpoint.metadata", Metadata, MetadataIndex, TensorStorageMetadata, ChunkStorageMetadata,
           BytesStorageMetadata, StorageMeta, TensorProperties, _MEM_FORMAT_ENCODING)
    module("torch.distributed.checkpoint.filesystem", _StorageInfo)
    described, paths = {}, {}
    for name, tensor in old.state_dict_metadata.items():
        key = "app.model." + name
        paths[key] = ("app", "model", name)
        described[key] = TensorStorageMetadata(
            properties=TensorProperties(dtype=tensor.properties.dtype, layout=tensor.properties.layout), size=tensor.size,
            chunks=[ChunkStorageMetadata(offsets=c.offsets, sizes=c.sizes) for c in tensor.chunks])
    described["app.step"] = BytesStorageMetadata()
    paths["app.step"] = ("app", "step")
    storage = {
        MetadataIndex(fqn="app.model." + index.fqn, offset=index.offset, index=0): _StorageInfo(
            relative_path=info.relative_path, offset=info.offset, length=info.length, transform_descriptors=None)
        for index, info in old.storage_data.items()
    }
    metadata = Metadata(
        state_dict_metadata=described, planner_data=paths, storage_data=storage, version="1.0.0",
        storage_meta=StorageMeta(checkpoint_id=pathlib.PurePosixPath("step-7"), save_id="a", load_id=None, modules=[]))
    with open(os.path.join(target, ".metadata"), "wb") as file:
        pickle.dump(metadata, file)
