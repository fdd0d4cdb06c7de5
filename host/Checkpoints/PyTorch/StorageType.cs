using Merge.Sdk;

namespace Merge.Checkpoints.PyTorch;

/// <summary>An element type as PyTorch names it.</summary>
/// <param name="Name">For messages: <c>float32</c>.</param>
/// <param name="Bytes">Of one element.</param>
/// <param name="DType">The same type here; null where safetensors has none.</param>
internal sealed record StorageType(string Name, int Bytes, DType? DType)
{
    /// <summary>Storages of any type: what reads them says which.</summary>
    public static StorageType Untyped { get; } = new("untyped", 1, Sdk.DType.U8);

    private static readonly StorageType[] All =
    [
        new("float64", 8, Sdk.DType.F64), new("float32", 4, Sdk.DType.F32), new("float16", 2, Sdk.DType.F16),
        new("bfloat16", 2, Sdk.DType.BF16), new("int64", 8, Sdk.DType.I64), new("int32", 4, Sdk.DType.I32),
        new("int16", 2, Sdk.DType.I16), new("int8", 1, Sdk.DType.I8), new("uint8", 1, Sdk.DType.U8),
        new("uint16", 2, Sdk.DType.U16), new("uint32", 4, Sdk.DType.U32), new("uint64", 8, Sdk.DType.U64),
        new("bool", 1, Sdk.DType.Bool), new("complex64", 8, Sdk.DType.C64), new("complex128", 16, null),
        new("complex32", 4, null), new("float8_e4m3fn", 1, Sdk.DType.F8_E4M3), new("float8_e5m2", 1, Sdk.DType.F8_E5M2),
        new("float8_e8m0fnu", 1, Sdk.DType.F8_E8M0), new("float8_e4m3fnuz", 1, null), new("float8_e5m2fnuz", 1, null),
    ];

    private static readonly Dictionary<string, string> Storages = new(StringComparer.Ordinal)
    {
        ["DoubleStorage"] = "float64",
        ["FloatStorage"] = "float32",
        ["HalfStorage"] = "float16",
        ["BFloat16Storage"] = "bfloat16",
        ["LongStorage"] = "int64",
        ["IntStorage"] = "int32",
        ["ShortStorage"] = "int16",
        ["CharStorage"] = "int8",
        ["ByteStorage"] = "uint8",
        ["BoolStorage"] = "bool",
        ["ComplexFloatStorage"] = "complex64",
        ["ComplexDoubleStorage"] = "complex128",
    };

    private static readonly Dictionary<string, string> Aliases = new(StringComparer.Ordinal)
    {
        ["double"] = "float64",
        ["float"] = "float32",
        ["half"] = "float16",
        ["long"] = "int64",
        ["int"] = "int32",
        ["short"] = "int16",
        ["cfloat"] = "complex64",
        ["cdouble"] = "complex128",
    };

    /// <summary>By the name below <c>torch.</c> of a dtype; null for another name.</summary>
    public static StorageType? OfDType(string name) =>
        Array.Find(All, t => t.Name == Aliases.GetValueOrDefault(name, name));

    /// <summary>By the name of a storage class; null for another name.</summary>
    public static StorageType? OfStorage(string name) => name is "UntypedStorage" or "_UntypedStorage"
        ? Untyped
        : Storages.TryGetValue(name, out var type) ? OfDType(type) : null;
}
