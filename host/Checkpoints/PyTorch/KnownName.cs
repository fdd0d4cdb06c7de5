namespace Merge.Checkpoints.PyTorch;

/// <summary>What a name in a pickle stands for.</summary>
internal enum NameKind
{
    /// <summary>A class whose objects are kept as data and not looked into.</summary>
    Inert,
    /// <summary>A class of named values, which are kept as data, too.</summary>
    Enumeration,
    /// <summary><c>getattr</c>: how Python 3.11 writes a member of an enumeration; of nothing else.</summary>
    Member,
    Dict,
    List,
    Tuple,
    Set,
    ByteArray,
    /// <summary><c>_codecs.encode</c>: how Python 2 protocols write bytes.</summary>
    Encode,
    Storage,
    DType,
    /// <summary><c>_rebuild_tensor</c> and <c>_rebuild_tensor_v2</c>: storage, offset, shape, strides.</summary>
    Tensor,
    /// <summary><c>_rebuild_tensor_v3</c>: the dtype is told beside an untyped storage.</summary>
    TensorOfDType,
    /// <summary>Gives its first argument, a tensor.</summary>
    Parameter,
    /// <summary><c>_rebuild_from_type_v2</c>: another of these and its arguments.</summary>
    FromType,
}

/// <summary>A name that checkpoints hold and that is allowed.</summary>
/// <param name="Type">Of a storage or a dtype.</param>
internal sealed record KnownName(NameKind Kind, StorageType? Type = null)
{
    private static readonly Dictionary<string, KnownName> Meant = Table(
        (NameKind.Dict, "collections", "OrderedDict defaultdict Counter"),
        (NameKind.Dict, "builtins", "dict"),
        (NameKind.List, "builtins", "list"),
        (NameKind.List, "collections", "deque"),
        (NameKind.Tuple, "builtins", "tuple"),
        (NameKind.Tuple, "torch", "Size"),
        (NameKind.Set, "builtins", "set frozenset"),
        (NameKind.ByteArray, "builtins", "bytearray"),
        (NameKind.Member, "builtins", "getattr"),
        (NameKind.Encode, "_codecs", "encode"),
        (NameKind.Tensor, "torch._utils", "_rebuild_tensor _rebuild_tensor_v2"),
        (NameKind.TensorOfDType, "torch._utils", "_rebuild_tensor_v3"),
        (NameKind.Parameter, "torch._utils", "_rebuild_parameter _rebuild_parameter_with_state"),
        (NameKind.Parameter, "torch.nn.parameter", "Parameter Buffer"),
        (NameKind.FromType, "torch._tensor", "_rebuild_from_type_v2"));

    // What PyTorch, Lightning, DeepSpeed, transformers, fairseq and omegaconf leave beside the tensors of a checkpoint.
    private static readonly Dictionary<string, KnownName> Inert = Table(
        (NameKind.Inert, "builtins", "int float bool str bytes complex object slice range"),
        (NameKind.Inert, "typing", "Any"),
        (NameKind.Inert, "copyreg", "_reconstructor"),
        (NameKind.Inert, "argparse", "Namespace"),
        (NameKind.Inert, "types", "SimpleNamespace"),
        (NameKind.Inert, "pathlib", "Path PosixPath WindowsPath PurePath PurePosixPath PureWindowsPath"),
        (NameKind.Inert, "pathlib._local", "Path PosixPath WindowsPath PurePath PurePosixPath PureWindowsPath"),
        (NameKind.Inert, "datetime", "datetime date time timedelta timezone"),
        (NameKind.Inert, "decimal", "Decimal"),
        (NameKind.Inert, "fractions", "Fraction"),
        (NameKind.Inert, "uuid", "UUID SafeUUID"),
        (NameKind.Inert, "_io", "BytesIO"),
        (NameKind.Inert, "numpy", "dtype ndarray float64 float32 float16 int64 int32 int16 int8 uint8 bool_"),
        (NameKind.Inert, "numpy.core.multiarray", "scalar _reconstruct"),
        (NameKind.Inert, "numpy._core.multiarray", "scalar _reconstruct"),
        (NameKind.Inert, "numpy.dtypes", "Float64DType Float32DType Float16DType Int64DType Int32DType BoolDType UInt8DType"),
        (NameKind.Inert, "torch", "device Tensor strided contiguous_format preserve_format channels_last sparse_coo"),
        (NameKind.Inert, "torch.serialization", "_get_layout"),
        (NameKind.Inert, "torch._C._distributed_c10d", "_ProcessGroup Backend"),
        (NameKind.Inert, "torch.distributed.checkpoint.metadata", "Metadata MetadataIndex TensorStorageMetadata "
            + "BytesStorageMetadata ChunkStorageMetadata TensorProperties StorageMeta"),
        (NameKind.Enumeration, "torch.distributed.checkpoint.metadata", "_MEM_FORMAT_ENCODING"),
        (NameKind.Inert, "torch.distributed.checkpoint.filesystem", "_StorageInfo"),
        (NameKind.Inert, "torch.distributed._shard.checkpoint.metadata", "Metadata MetadataIndex TensorStorageMetadata "
            + "BytesStorageMetadata ChunkStorageMetadata"),
        (NameKind.Inert, "torch.distributed._shard.checkpoint.filesystem", "_StorageInfo"),
        (NameKind.Inert, "torch.distributed._shard.sharded_tensor.metadata", "TensorProperties"),
        (NameKind.Enumeration, "torch.distributed._shard.sharded_tensor.metadata", "MEM_FORMAT_ENCODING"),
        (NameKind.Inert, "torch.distributed._shard.sharded_tensor", "TensorProperties"),
        (NameKind.Inert, "deepspeed.runtime.fp16.loss_scaler", "LossScaler DynamicLossScaler"),
        (NameKind.Enumeration, "deepspeed.runtime.zero.config", "ZeroStageEnum"),
        (NameKind.Inert, "deepspeed.checkpoint.universal_checkpoint", "SubparamShape"),
        (NameKind.Inert, "deepspeed.utils.tensor_fragment", "fragment_address tensor_fragment"),
        (NameKind.Inert, "pytorch_lightning.utilities.parsing", "AttributeDict"),
        (NameKind.Inert, "lightning.fabric.utilities.data", "AttributeDict"),
        (NameKind.Inert, "lightning_fabric.utilities.data", "AttributeDict"),
        (NameKind.Inert, "lightning.pytorch.utilities.parsing", "AttributeDict"),
        (NameKind.Inert, "pytorch_lightning.callbacks.model_checkpoint", "ModelCheckpoint"),
        (NameKind.Inert, "pytorch_lightning.callbacks.early_stopping", "EarlyStopping"),
        (NameKind.Inert, "omegaconf.base", "ContainerMetadata Metadata"),
        (NameKind.Inert, "omegaconf.dictconfig", "DictConfig"),
        (NameKind.Inert, "omegaconf.listconfig", "ListConfig"),
        (NameKind.Inert, "omegaconf.nodes", "AnyNode StringNode IntegerNode FloatNode BooleanNode EnumNode"),
        (NameKind.Enumeration, "transformers.trainer_utils", "IntervalStrategy SchedulerType HubStrategy SaveStrategy"),
        (NameKind.Enumeration, "transformers.training_args", "OptimizerNames"));

    /// <summary>What a name stands for; null where it is none that a checkpoint needs.</summary>
    public static KnownName? Of(string module, string name)
    {
        // Pickles that Python 2 can read too carry the names of Python 2.
        module = module switch
        {
            "__builtin__" => "builtins",
            "copy_reg" => "copyreg",
            _ => module,
        };
        var full = $"{module}.{name}";
        if (Meant.TryGetValue(full, out var known) || Inert.TryGetValue(full, out known))
            return known;
        if (module is "torch" or "torch.storage" or "torch.cuda" && StorageType.OfStorage(name) is { } storage)
            return new(NameKind.Storage, storage);
        return module == "torch" && StorageType.OfDType(name) is { } dtype ? new(NameKind.DType, dtype) : null;
    }

    private static Dictionary<string, KnownName> Table(params (NameKind Kind, string Module, string Names)[] names) => names
        .SelectMany(n => n.Names.Split(' ').Select(name => (Name: $"{n.Module}.{name}", n.Kind)))
        .ToDictionary(n => n.Name, n => new KnownName(n.Kind), StringComparer.Ordinal);
}
