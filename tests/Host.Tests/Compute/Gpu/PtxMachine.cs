using System.Globalization;

namespace Host.Tests.Compute.Gpu;

/// <summary>
/// Runs the part of PTX that expressions are written in, one thread after the other: so that this text is checked where
/// there is no card. A register that is used in another size than it was declared in, or before it has a value, is an
/// error, as is anything unknown.
/// </summary>
internal sealed unsafe class PtxMachine
{
    private readonly Dictionary<string, int> _registers = [];
    private readonly List<char> _classes = [];
    private readonly Dictionary<string, int> _labels = [];
    private readonly List<(string Text, Func<ulong[], int> Run)> _code = [];
    private readonly Dictionary<string, int> _parameters;
    private ulong[] _arguments = [];
    private bool[] _known = [];
    private (uint Group, uint Groups, uint Thread, uint Threads) _place;

    private PtxMachine(string text)
    {
        var lines = text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal([".version 6.0", ".target sm_70", ".address_size 64"], lines[..3]);
        var entry = lines[3];
        Assert.StartsWith(".visible .entry loop(", entry);
        _parameters = entry[(entry.IndexOf('(') + 1)..^1].Split(", ").Index()
            .ToDictionary(p => p.Item.Split(' ')[^1], p => p.Index);
        Assert.Equal("{", lines[4]);
        Assert.Equal("}", lines[^1]);
        var body = lines[5..^1];
        foreach (var line in body.Where(l => l.StartsWith(".reg", StringComparison.Ordinal)))
            Declare(line);
        var instructions = body.Where(l => !l.StartsWith(".reg", StringComparison.Ordinal)).ToArray();
        var at = 0;
        foreach (var line in instructions)
        {
            if (line.EndsWith(':'))
                _labels.Add(line[..^1], at);
            else
                at++;
        }
        foreach (var line in instructions.Where(l => !l.EndsWith(':')))
        {
            Assert.EndsWith(";", line);
            _code.Add((line, Decode(line[..^1])));
        }
    }

    /// <summary>Runs a kernel named <c>loop</c>.</summary>
    public static void Run(string text, ulong[] arguments, uint groups, uint threads) =>
        new PtxMachine(text).Run(arguments, groups, threads);

    private void Run(ulong[] arguments, uint groups, uint threads)
    {
        Assert.Equal(_parameters.Count, arguments.Length);
        _arguments = arguments;
        var registers = new ulong[_classes.Count];
        for (var thread = 0u; thread < groups * threads; thread++)
        {
            _place = (thread / threads, groups, thread % threads, threads);
            _known = new bool[_classes.Count];
            for (var at = 0; at >= 0;)
            {
                var next = _code[at].Run(registers);
                at = next == Next ? at + 1 : next;
            }
        }
    }

    private const int Next = -2;
    private const int End = -1;

    private void Declare(string line)
    {
        var words = line.TrimEnd(';').Split(' ', 3);
        var kind = words[1] switch { ".b32" => 'r', ".b64" => 'l', ".pred" => 'p', _ => throw new FormatException(line) };
        foreach (var name in words[2].Split(", "))
        {
            if (name.IndexOf('<') is var open and >= 0)
            {
                var count = int.Parse(name[(open + 1)..^1], CultureInfo.InvariantCulture);
                for (var i = 0; i < count; i++)
                    Declare($"{name[..open]}{i}", kind);
            }
            else
            {
                Declare(name, kind);
            }
        }
    }

    private void Declare(string name, char kind)
    {
        _registers.Add(name, _classes.Count);
        _classes.Add(kind);
    }

    private Func<ulong[], int> Decode(string line)
    {
        if (line.StartsWith('@'))
        {
            var words = line.Split(' ');
            Assert.Equal("bra", words[1]);
            var condition = Read(words[0][1..], 'p');
            var target = words[2];
            return r => condition(r) != 0 ? _labels[target] : Next;
        }
        var space = line.IndexOf(' ');
        if (line == "ret")
            return _ => End;
        var (name, rest) = (line[..space], line[(space + 1)..]);
        if (name == "bra")
            return _ => _labels[rest];
        var operands = Operands(rest);
        if (name.StartsWith("ld.", StringComparison.Ordinal))
            return Load(name, operands);
        if (name.StartsWith("st.", StringComparison.Ordinal))
            return Store(name, operands);
        if (name.StartsWith("setp.", StringComparison.Ordinal))
            return Write(operands[0], 'p', Compare(name, Read(operands[1], 'r'), Read(operands[2], 'r')));
        return Compute(name, operands);
    }

    // Braces and brackets hold what belongs together.
    private static string[] Operands(string text)
    {
        var operands = new List<string>();
        var (depth, start) = (0, 0);
        for (var i = 0; i <= text.Length; i++)
        {
            if (i == text.Length || (text[i] == ',' && depth == 0))
            {
                operands.Add(text[start..i].Trim());
                start = i + 1;
                continue;
            }
            depth += text[i] is '{' or '[' ? 1 : text[i] is '}' or ']' ? -1 : 0;
        }
        return [.. operands];
    }

    private static string[] Vector(string operand) => operand[1..^1].Split(", ");

    private Func<ulong[], ulong> Read(string operand, char kind)
    {
        if (_registers.TryGetValue(operand, out var register))
        {
            Assert.True(_classes[register] == kind, $"{operand} is no register of kind {kind}");
            return r => _known[register] ? r[register] : throw new InvalidOperationException($"{operand} has no value");
        }
        ulong value;
        switch (operand)
        {
            case "%ctaid.x": return _ => _place.Group;
            case "%nctaid.x": return _ => _place.Groups;
            case "%tid.x": return _ => _place.Thread;
            case "%ntid.x": return _ => _place.Threads;
        }
        Assert.False(kind == 'p', operand);
        if (operand.StartsWith("0f", StringComparison.Ordinal))
            value = uint.Parse(operand[2..], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        else
            value = (uint)int.Parse(operand, CultureInfo.InvariantCulture);
        return _ => value;
    }

    private Func<ulong[], int> Write(string operand, char kind, Func<ulong[], ulong> value)
    {
        var register = _registers[operand];
        Assert.True(_classes[register] == kind, $"{operand} is no register of kind {kind}");
        return r =>
        {
            r[register] = kind == 'r' ? (uint)value(r) : value(r);
            _known[register] = true;
            return Next;
        };
    }

    private Func<ulong[], ulong> Address(string operand)
    {
        var inside = operand[1..^1].Split('+');
        var register = Read(inside[0], 'l');
        var offset = inside.Length > 1 ? ulong.Parse(inside[1], CultureInfo.InvariantCulture) : 0;
        return r => register(r) + offset;
    }

    private static ulong At(ulong address, int bytes)
    {
        // A card refuses what is not aligned.
        Assert.Equal(0ul, address % (ulong)bytes);
        return bytes switch { 2 => *(ushort*)address, 4 => *(uint*)address, _ => *(ulong*)address };
    }

    private Func<ulong[], int> Load(string name, string[] operands)
    {
        if (name.StartsWith("ld.param", StringComparison.Ordinal))
        {
            var index = _parameters[operands[1][1..^1]];
            return Write(operands[0], name == "ld.param.u64" ? 'l' : 'r', _ => _arguments[index]);
        }
        var address = Address(operands[1]);
        if (name == "ld.global.nc.v4.u32")
        {
            var parts = Vector(operands[0]).Select((o, i) => Write(o, 'r', r => At(address(r) + (ulong)(4 * i), 4))).ToArray();
            return r =>
            {
                Assert.Equal(0ul, address(r) % 16);
                foreach (var part in parts)
                    part(r);
                return Next;
            };
        }
        return name switch
        {
            "ld.global.nc.u16" => Write(operands[0], 'r', r => At(address(r), 2)),
            "ld.global.nc.u32" => Write(operands[0], 'r', r => At(address(r), 4)),
            "ld.global.nc.u64" => Write(operands[0], 'l', r => At(address(r), 8)),
            _ => throw new FormatException(name),
        };
    }

    private Func<ulong[], int> Store(string name, string[] operands)
    {
        var address = Address(operands[0]);
        var values = (name == "st.global.v4.u32" ? Vector(operands[1]) : [operands[1]])
            .Select(o => _registers.ContainsKey(o) ? Read(o, name == "st.global.u64" ? 'l' : 'r') : throw new FormatException(o))
            .ToArray();
        var bytes = name switch
        {
            "st.global.u16" => 2,
            "st.global.u32" or "st.global.v4.u32" => 4,
            "st.global.u64" => 8,
            _ => throw new FormatException(name),
        };
        return r =>
        {
            var at = address(r);
            Assert.Equal(0ul, at % (ulong)(bytes * values.Length));
            for (var i = 0; i < values.Length; i++)
            {
                var place = (byte*)at + (i * bytes);
                var value = values[i](r);
                new ReadOnlySpan<byte>(&value, bytes).CopyTo(new(place, bytes));
            }
            return Next;
        };
    }

    private static Func<ulong[], ulong> Compare(string name, Func<ulong[], ulong> a, Func<ulong[], ulong> b)
    {
        Func<ulong, ulong, bool> test = name switch
        {
            "setp.gt.f32" => (x, y) => Real(x) > Real(y),
            "setp.ge.f32" => (x, y) => Real(x) >= Real(y),
            "setp.lt.f32" => (x, y) => Real(x) < Real(y),
            "setp.le.f32" => (x, y) => Real(x) <= Real(y),
            "setp.eq.f32" => (x, y) => Real(x) == Real(y),
            "setp.lt.s32" => (x, y) => (int)x < (int)y,
            "setp.ge.u32" => (x, y) => (uint)x >= (uint)y,
            _ => throw new FormatException(name),
        };
        return r => test(a(r), b(r)) ? 1ul : 0;
    }

    private Func<ulong[], int> Compute(string name, string[] o)
    {
        Func<ulong[], int> Unary(char to, char from, Func<ulong, ulong> f)
        {
            Assert.Equal(2, o.Length);
            var a = Read(o[1], from);
            return Write(o[0], to, r => f(a(r)));
        }

        Func<ulong[], int> Binary(char kind, Func<ulong, ulong, ulong> f, char second = '\0')
        {
            Assert.Equal(3, o.Length);
            var (a, b) = (Read(o[1], kind), Read(o[2], second == '\0' ? kind : second));
            return Write(o[0], kind, r => f(a(r), b(r)));
        }

        Func<ulong[], int> Ternary(char to, string kinds, Func<ulong, ulong, ulong, ulong> f)
        {
            Assert.Equal(4, o.Length);
            var (a, b, c) = (Read(o[1], kinds[0]), Read(o[2], kinds[1]), Read(o[3], kinds[2]));
            return Write(o[0], to, r => f(a(r), b(r), c(r)));
        }

        switch (name)
        {
            case "add.rn.f32": return Binary('r', (a, b) => Bits(Real(a) + Real(b)));
            case "sub.rn.f32": return Binary('r', (a, b) => Bits(Real(a) - Real(b)));
            case "mul.rn.f32": return Binary('r', (a, b) => Bits(Real(a) * Real(b)));
            case "div.rn.f32": return Binary('r', (a, b) => Bits(Real(a) / Real(b)));
            case "sqrt.rn.f32": return Unary('r', 'r', a => Bits(MathF.Sqrt(Real(a))));
            case "abs.f32": return Unary('r', 'r', a => a & 0x7fffffff);
            case "fma.rn.f32":
                return Ternary('r', "rrr", (a, b, c) => Bits(MathF.FusedMultiplyAdd(Real(a), Real(b), Real(c))));
            case "cvt.rn.f32.s32": return Unary('r', 'r', a => Bits((int)a));
            case "cvt.rn.f32.f64": return Unary('r', 'l', a => Bits((float)BitConverter.UInt64BitsToDouble(a)));
            case "cvt.f64.f32": return Unary('l', 'r', a => BitConverter.DoubleToUInt64Bits(Real(a)));
            case "cvt.u64.u32": return Unary('l', 'r', a => (uint)a);
            case "cvt.u32.u64": return Unary('r', 'l', a => (uint)a);
            case "and.pred": return Binary('p', (a, b) => a & b);
            case "or.pred": return Binary('p', (a, b) => a | b);
            case "not.pred": return Unary('p', 'p', a => a ^ 1);
            case "selp.b32": return Ternary('r', "rrp", (a, b, p) => p != 0 ? a : b);
            case "add.s32": return Binary('r', (a, b) => a + b);
            case "sub.s32": return Binary('r', (a, b) => a - b);
            case "mul.lo.s32": return Binary('r', (a, b) => a * b);
            case "mad.lo.s32": return Ternary('r', "rrr", (a, b, c) => (a * b) + c);
            case "mul.hi.u32": return Binary('r', (a, b) => (ulong)(uint)a * (uint)b >> 32);
            case "div.u32": return Binary('r', (a, b) => (uint)a / (uint)b);
            case "rem.u32": return Binary('r', (a, b) => (uint)a % (uint)b);
            case "and.b32": return Binary('r', (a, b) => a & b);
            case "or.b32": return Binary('r', (a, b) => a | b);
            case "xor.b32": return Binary('r', (a, b) => a ^ b);
            case "shl.b32": return Binary('r', (a, b) => (uint)a << (int)b);
            case "shr.s32": return Binary('r', (a, b) => (uint)((int)a >> (int)b));
            case "shr.u32": return Binary('r', (a, b) => (uint)a >> (int)b);
            case "add.s64": return Binary('l', (a, b) => a + b);
            case "shr.u64": return Binary('l', (a, b) => a >> (int)b, 'r');
            case "mul.wide.u32":
                var (x, y) = (Read(o[1], 'r'), Read(o[2], 'r'));
                return Write(o[0], 'l', r => (ulong)(uint)x(r) * (uint)y(r));
            case "mad.wide.u32": return Ternary('l', "rrl", (a, b, c) => ((ulong)(uint)a * (uint)b) + c);
            case "cvta.to.global.u64": return Unary('l', 'l', a => a);
            case "mov.b32" or "mov.u32": return Unary('r', 'r', a => a);
            case "mov.b64":
                var halves = Vector(o[1]).Select(h => Read(h, 'r')).ToArray();
                return Write(o[0], 'l', r => (uint)halves[0](r) | (halves[1](r) << 32));
            default: throw new FormatException(name);
        }
    }

    private static float Real(ulong bits) => BitConverter.UInt32BitsToSingle((uint)bits);

    private static ulong Bits(float value) => BitConverter.SingleToUInt32Bits(value);
}
