using System.Globalization;
using Merge.Sdk;

namespace Merge.Checkpoints.PyTorch;

/// <summary>
/// Reads one pickle, protocols 0 to 5, as data: a stack machine whose calls can make descriptions of tensors, numbers,
/// texts and containers, and nothing else (<see cref="KnownName"/>). Time and memory are in proportion to its bytes,
/// within <see cref="PickleBudget.Most"/>; no step recurses, whatever is nested in what.
/// </summary>
/// <remarks>The opcodes are those of CPython's pickletools.</remarks>
internal sealed class PickleReader
{
    private const int LongestName = 1024;
    private const int NewestProtocol = 5;

    private readonly PickleStream _stream;
    private readonly PickleBudget _budget;
    private readonly PickleLiterals _literals;
    private readonly PickleCalls _calls;
    private readonly PickleStack _stack;
    private readonly IDictionary<string, PickleStorage>? _storages;

    private PickleReader(PickleStream stream, IDictionary<string, PickleStorage>? storages, long most)
    {
        _stream = stream;
        _storages = storages;
        _budget = new(stream, most);
        _literals = new(stream, _budget);
        _calls = new(stream, _budget);
        _stack = new(stream, _budget);
    }

    /// <summary>The value of the pickle that begins at the stream's position, which is left behind its end.</summary>
    /// <param name="stream">Where it begins.</param>
    /// <param name="storages">Gets every storage it refers to, by key.</param>
    /// <param name="most">Bytes that its values may take.</param>
    /// <exception cref="MergeException">It is malformed, names what is not allowed, or asks for too much.</exception>
    public static object? Read(
        PickleStream stream, IDictionary<string, PickleStorage>? storages = null, long most = PickleBudget.Most)
    {
        var reader = new PickleReader(stream, storages, most);
        while (true)
        {
            var at = stream.Position;
            var opcode = (char)stream.ReadByte();
            if (opcode == '.')
            {
                return reader._stack.Pop() is var value && value is PickleName { Known.Kind: NameKind.Member } name
                    ? throw reader.NotAllowed(name.FullName, at)
                    : value;
            }
            if (reader._literals.TryRead(opcode, at, out var literal))
                reader._stack.Push(literal);
            else if (!reader.OnStack(opcode, at) && !reader.OnContainer(opcode, at) && !reader.OnObject(opcode, at))
                throw stream.Problem($"byte 0x{(int)opcode:x2} is no opcode of a pickle that can be read", null, at);
        }
    }

    private bool OnStack(char opcode, long at)
    {
        switch (opcode)
        {
            case '\x80':
                if (_stream.ReadByte() is var protocol and > NewestProtocol)
                    throw _stream.Problem($"the pickle is of protocol {protocol}", $"at most {NewestProtocol}", at);
                break;
            case '\x95':
                if (_stream.ReadUInt64() > (ulong)_stream.Left)
                    throw _stream.Problem("a frame of the pickle is longer than what is left", null, at);
                break;
            case '(':
                _stack.Mark();
                break;
            case '0':
                _stack.Drop();
                break;
            case '1':
                _stack.PopMark();
                break;
            case '2':
                _stack.Push(_stack.Peek());
                break;
            case 'p':
                _stack.Put(Number(at));
                break;
            case 'q':
                _stack.Put(_stream.ReadByte());
                break;
            case 'r':
                _stack.Put(_stream.ReadUInt32());
                break;
            case '\x94':
                _stack.Put(_stack.Next);
                break;
            case 'g':
                _stack.Push(_stack.Get(Number(at)));
                break;
            case 'h':
                _stack.Push(_stack.Get(_stream.ReadByte()));
                break;
            case 'j':
                _stack.Push(_stack.Get(_stream.ReadUInt32()));
                break;
            default:
                return false;
        }
        return true;
    }

    private bool OnContainer(char opcode, long at)
    {
        switch (opcode)
        {
            case ')':
                _stack.Push(Array.Empty<object?>());
                break;
            case 't':
                _stack.Push(_stack.PopMark());
                break;
            case '\x85' or '\x86' or '\x87':
                var tuple = new object?[opcode - '\x84'];
                for (var i = tuple.Length - 1; i >= 0; i--)
                    tuple[i] = _stack.Pop();
                _stack.Push(Made(tuple));
                break;
            case ']' or '\x8f':
                _stack.Push(Made(new List<object?>()));
                break;
            case 'l' or '\x91':
                _stack.Push(Made(new List<object?>(_stack.PopMark())));
                break;
            case '}':
                _stack.Push(Made(new PickleDict()));
                break;
            case 'd':
                var pairs = _stack.PopMark();
                var dict = Made(new PickleDict());
                SetAll(dict, pairs, at);
                _stack.Push(dict);
                break;
            case 'a':
                var item = _stack.Pop();
                Append(_stack.Peek(), [item], at);
                break;
            case 'e' or '\x90':
                var items = _stack.PopMark();
                Append(_stack.Peek(), items, at);
                break;
            case 's':
                var (value, key) = (_stack.Pop(), _stack.Pop());
                SetAll(_stack.Peek(), [key, value], at);
                break;
            case 'u':
                var all = _stack.PopMark();
                SetAll(_stack.Peek(), all, at);
                break;
            default:
                return false;
        }
        return true;
    }

    private bool OnObject(char opcode, long at)
    {
        switch (opcode)
        {
            case 'c':
                _stack.Push(Name(_literals.Line(LongestName), _literals.Line(LongestName), at));
                break;
            case '\x93':
                var (name, module) = (_stack.Pop(), _stack.Pop());
                _stack.Push(Name(module as string ?? "?", name as string ?? "?", at));
                break;
            case 'R' or '\x81':
                var arguments = _stack.Pop();
                _stack.Push(Call(_stack.Pop(), arguments, at));
                break;
            case '\x92':
                var (named, positional) = (_stack.Pop(), _stack.Pop());
                var type = _stack.Pop();
                if (named is not PickleDict { Items.Count: 0 })
                    throw _stream.Problem("the pickle makes an object from named arguments", null, at);
                _stack.Push(Call(type, positional, at));
                break;
            case 'i':
                var made = Name(_literals.Line(LongestName), _literals.Line(LongestName), at);
                _stack.Push(Call(made, _stack.PopMark(), at));
                break;
            case 'o':
                var parts = _stack.PopMark();
                _stack.Push(Call(parts.FirstOrDefault(), parts.Skip(1).ToArray(), at));
                break;
            case 'b':
                var state = _stack.Pop();
                Build(_stack.Peek(), state, at);
                break;
            case 'P':
                throw _stream.Problem("the pickle refers to data outside it by a text", "a storage", at);
            case 'Q':
                var storage = _calls.Storage(_stack.Pop());
                _storages?.TryAdd(storage.Key, storage);
                _stack.Push(storage);
                break;
            default:
                return false;
        }
        return true;
    }

    private PickleName Name(string module, string name, long at)
    {
        _budget.Take(2 * PickleBudget.ObjectBytes);
        return KnownName.Of(module, name) is { } known
            ? new PickleName(module, name, known)
            : throw NotAllowed($"{module}.{name}", at);
    }

    private MergeException NotAllowed(string name, long at) => name switch
    {
        "torch._utils._rebuild_sparse_tensor" or "torch._utils._rebuild_sparse_csr_tensor" => NotDense(
            "a sparse", "Make them dense in Python: torch.save({k: v.to_dense() for k, v in state_dict.items()}, …).", at),
        "torch._utils._rebuild_qtensor" => NotDense(
            "a quantised",
            "Dequantise them in Python: torch.save({k: v.dequantize() if v.is_quantized else v for k, v in state_dict.items()}, …).",
            at),
        _ => Unknown(name, at),
    };

    private MergeException NotDense(string kind, string fix, long at) =>
        _stream.Problem($"the file holds {kind} tensor, and such are not supported", "dense tensors of plain numbers", at, fix);

    private MergeException Unknown(string name, long at) => _stream.Problem(
        $"the pickle names '{PickleText.Shown(name)}', which is not allowed in a checkpoint",
        "tensors, numbers, texts and containers; nothing in the file has been executed",
        at,
        "If you trust the file, load it in Python and save its weights alone: torch.save(model.state_dict(), …).");

    private object? Call(object? callee, object? arguments, long at) => (callee, arguments) switch
    {
        (PickleName name, object?[] tuple) => _calls.Call(name, tuple),
        (PickleName name, _) => throw _stream.Problem($"the pickle calls '{name.FullName}' with something else than a tuple", null, at),
        _ => throw _stream.Problem("the pickle calls something that is no name", "a class or function by its name", at),
    };

    private void Build(object? target, object? state, long at)
    {
        switch (target)
        {
            case PickleObject made:
                made.State = state;
                break;
            // Attributes of an OrderedDict (_metadata, the versions of modules) and of a Parameter: of no use here.
            case PickleDict or PickleTensor:
                break;
            default:
                throw _stream.Problem("the pickle sets the state of something that has none", null, at);
        }
    }

    private void Append(object? target, object?[] items, long at)
    {
        if (target is PickleObject made)
            SetAll(made.Items, [.. items.SelectMany(i => new[] { null, i })], at);
        else if (target is not List<object?> list)
            throw _stream.Problem("the pickle appends to something that is no list", null, at);
        else
            list.AddRange(items);
        _budget.Take(16 * items.Length);
    }

    private void SetAll(object? target, object?[] pairs, long at)
    {
        if ((target as PickleObject)?.Items is var items && (items ?? target as PickleDict) is not { } dict)
            throw _stream.Problem("the pickle sets items of something that is no dict", null, at);
        if (pairs.Length % 2 != 0)
            throw _stream.Problem("the pickle sets a key without a value", null, at);
        for (var i = 0; i < pairs.Length; i += 2)
            _calls.Set(dict, pairs[i], pairs[i + 1]);
    }

    private T Made<T>(T value)
        where T : class
    {
        _budget.Take(value is PickleDict ? 6 * PickleBudget.ObjectBytes : PickleBudget.ObjectBytes);
        return value;
    }

    private uint Number(long at) =>
        uint.TryParse(_literals.Line(LongestName), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw _stream.Problem("a number of the pickle cannot be read", null, at);
}
