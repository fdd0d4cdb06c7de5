using System.Text;
using Merge.Sdk;

namespace Merge.Checkpoints.PyTorch;

/// <summary>What the calls of a pickle come to: for each allowed name the value it stands for. Nothing is executed.</summary>
internal sealed class PickleCalls(PickleStream stream, PickleBudget budget)
{
    private const int MostDimensions = 64;

    /// <summary>The value of <c>name(*arguments)</c>.</summary>
    public object? Call(PickleName name, object?[] arguments)
    {
        var known = name.Known;
        switch (known.Kind)
        {
            case NameKind.Dict:
                return Dict(arguments);
            case NameKind.List or NameKind.Set:
                return new List<object?>(arguments.Length == 0 ? [] : Items(arguments[0], name));
            case NameKind.Tuple:
                return arguments.Length == 0 ? [] : Items(arguments[0], name).ToArray();
            case NameKind.ByteArray when arguments is [byte[] bytes]:
                return bytes;
            case NameKind.ByteArray when arguments is []:
                return Array.Empty<byte>();
            case NameKind.Encode when arguments is [string text, "latin1" or "latin-1"]:
                budget.Take(PickleBudget.ObjectBytes + text.Length);
                return Encoding.Latin1.GetBytes(text);
            case NameKind.Tensor:
                return Tensor(arguments, null, name);
            case NameKind.TensorOfDType when arguments.Length >= 7 && arguments[6] is PickleName { Known.Kind: NameKind.DType } dtype:
                return Tensor(arguments, dtype.Known.Type, name);
            case NameKind.Parameter when arguments is [PickleTensor tensor, ..]:
                return tensor;
            case NameKind.FromType when arguments is [PickleName inner, PickleName, object?[] own, ..]
                && inner.Known.Kind is NameKind.Tensor or NameKind.TensorOfDType:
                return Call(inner, own);
            case NameKind.Member when arguments is [PickleName { Known.Kind: NameKind.Enumeration } enumeration, string]:
                return Call(enumeration, arguments[1..]);
            case NameKind.Inert or NameKind.Enumeration:
                budget.Take(4 * PickleBudget.ObjectBytes);
                return new PickleObject(name, arguments);
            default:
                throw stream.Problem($"the pickle calls '{name.FullName}' with arguments it does not take", null, stream.Position);
        }
    }

    /// <summary>What a persistent id, the way a pickle names data outside it, stands for.</summary>
    /// <param name="id"><c>('storage', type, key, location, count[, view])</c>.</param>
    public PickleStorage Storage(object? id)
    {
        if (id is not object?[] { Length: >= 5 } parts || parts[0] is not "storage" || Text(parts[2]) is not { } key
            || parts[1] is not PickleName { Known: { Kind: NameKind.Storage, Type: { } type } } || parts[4] is not (long and >= 0))
        {
            var found = id is object?[] { Length: > 0 } other && other[0] is string what ? $"a {what}" : "something else";
            throw stream.Problem($"the pickle refers to {found} outside it", "a storage: type, key and size", stream.Position);
        }
        budget.Take(2 * PickleBudget.ObjectBytes);
        var count = (long)parts[4]!;
        // A view of another storage: legacy files have them.
        if (parts.Length > 5 && parts[5] is object?[] view)
        {
            return view is [_, long offset and >= 0, long size and >= 0] && offset <= count && size <= count - offset
                ? new PickleStorage(key, type, offset, size)
                : throw stream.Problem($"the view of storage '{key}' does not lie within it", null, stream.Position);
        }
        return new PickleStorage(key, type, 0, count);
    }

    private PickleDict Dict(object?[] arguments)
    {
        // A defaultdict's first argument is what makes its missing values: a name, or nothing.
        if (arguments.Length > 0 && arguments[0] is null or PickleName)
            arguments = arguments[1..];
        var dict = new PickleDict();
        if (arguments is [PickleDict other])
        {
            foreach (var (key, value) in other.Items)
                Set(dict, key, value);
        }
        else if (arguments.Length > 0)
        {
            foreach (var item in arguments[0] as List<object?> ?? [])
            {
                var pair = item as IReadOnlyList<object?>;
                if (pair is not { Count: 2 })
                    throw stream.Problem("a dict is made of something else than pairs", null, stream.Position);
                Set(dict, pair[0], pair[1]);
            }
        }
        return dict;
    }

    public void Set(PickleDict dict, object? key, object? value)
    {
        budget.Take(2 * PickleBudget.ObjectBytes);
        dict.Set(key, value);
    }

    private List<object?> Items(object? argument, PickleName name)
    {
        List<object?> items = argument switch
        {
            List<object?> list => list,
            object?[] tuple => [.. tuple],
            _ => throw stream.Problem($"the pickle calls '{name.FullName}' with something else than items", null, stream.Position),
        };
        budget.Take(PickleBudget.ObjectBytes + (8 * items.Count));
        return items;
    }

    private PickleTensor Tensor(object?[] arguments, StorageType? dtype, PickleName name)
    {
        var at = stream.Position;
        if (arguments.Length < 4 || arguments[0] is not PickleStorage storage || arguments[1] is not (long and >= 0)
            || Sizes(arguments[2]) is not { } shape || Sizes(arguments[3]) is not { } strides || shape.Length != strides.Length)
        {
            throw stream.Problem(
                $"the pickle calls '{name.FullName}' with arguments it does not take", "storage, offset, shape, strides", at);
        }
        // Behind the hooks (and the dtype) newer versions say what a view does to the values.
        if (arguments.Skip(6).OfType<PickleDict>().Any(d => d.Find("neg") is true || d.Find("conj") is true))
            throw stream.Problem("a tensor is a lazily negated or conjugated view", "values as they are stored (resolve_neg, resolve_conj)", at);
        budget.Take((4 * PickleBudget.ObjectBytes) + (16 * shape.Length));
        var type = dtype ?? storage.Type;
        Int128 count = 1, last = (long)arguments[1]!;
        for (var i = 0; i < shape.Length; i++)
        {
            count *= shape[i];
            last += (Int128)Math.Max(shape[i] - 1, 0) * strides[i];
            if (count * type.Bytes > long.MaxValue)
                throw stream.Problem($"a tensor of shape [{string.Join(',', shape)}] is larger than 64 bits count", null, at);
        }
        var elements = storage.Count * (Int128)storage.Type.Bytes / type.Bytes;
        if (count > 0 && last >= elements)
        {
            throw stream.Problem(
                $"a tensor of shape [{string.Join(',', shape)}] reaches past its storage '{storage.Key}' of {elements} elements",
                $"at least {last + 1} elements",
                at);
        }
        return new PickleTensor(storage, type, (long)arguments[1]!, shape, strides);
    }

    private static long[]? Sizes(object? argument)
    {
        if (argument is not IReadOnlyList<object?> { Count: <= MostDimensions } list)
            return null;
        var sizes = new long[list.Count];
        for (var i = 0; i < sizes.Length; i++)
        {
            if (list[i] is not (long and >= 0))
                return null;
            sizes[i] = (long)list[i]!;
        }
        return sizes;
    }

    private static string? Text(object? key) => key as string ?? (key is long number ? $"{number}" : null);
}
