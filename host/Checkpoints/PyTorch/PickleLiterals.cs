using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using System.Text;

namespace Merge.Checkpoints.PyTorch;

/// <summary>The opcodes of a pickle that stand for one number, text or run of bytes.</summary>
internal sealed class PickleLiterals(PickleStream stream, PickleBudget budget)
{
    private const int LongestInteger = 256;
    private const int LongestLine = 1 << 20;

    private static readonly UTF8Encoding Utf8 = new(false, throwOnInvalidBytes: true);

    /// <summary>Reads what follows an opcode; false for an opcode of another kind.</summary>
    public bool TryRead(char opcode, long at, out object? value)
    {
        value = opcode switch
        {
            'N' => null,
            '\x88' => true,
            '\x89' => false,
            'J' => (long)stream.ReadInt32(),
            'K' => (long)stream.ReadByte(),
            'M' => (long)stream.ReadUInt16(),
            '\x8a' => Integer(stream.ReadByte(), at),
            '\x8b' => Integer(stream.ReadInt32(), at),
            'I' => Line(LongestInteger) is var line && line is "00" or "01" ? (object)(line == "01") : Integer(line, at),
            'L' => Integer(Line(LongestInteger).TrimEnd('L'), at),
            'G' => BinaryPrimitives.ReadDoubleBigEndian(stream.ReadBytes(8)),
            'F' => double.TryParse(Line(LongestInteger), NumberStyles.Float, CultureInfo.InvariantCulture, out var real)
                ? real
                : throw stream.Problem("a number of the pickle cannot be read", null, at),
            'X' => Unicode(Bytes(stream.ReadUInt32()), at),
            '\x8c' => Unicode(Bytes(stream.ReadByte()), at),
            '\x8d' => Unicode(Bytes(Length(stream.ReadUInt64(), at)), at),
            'V' => RawUnicode(Line(LongestLine), at),
            'U' => Text(Bytes(stream.ReadByte())),
            'T' => Text(Bytes(Length((ulong)(long)stream.ReadInt32(), at))),
            'S' => Quoted(Line(LongestLine), at),
            'C' => Bytes(stream.ReadByte()),
            'B' => Bytes(stream.ReadUInt32()),
            '\x8e' or '\x96' => Bytes(Length(stream.ReadUInt64(), at)),
            _ => this,
        };
        if (value == this)
            return false;
        if (value is BigInteger number && number >= long.MinValue && number <= long.MaxValue)
            value = (long)number;
        if (value is not (null or bool))
            budget.Take(PickleBudget.ObjectBytes);
        return true;
    }

    /// <summary>A line that must be plain text.</summary>
    public string Line(int most) => Encoding.Latin1.GetString(stream.ReadLine(most)).TrimEnd('\r');

    private byte[] Bytes(long count)
    {
        // Before it is allocated: a text takes two bytes for one beside the bytes themselves.
        if (count <= stream.Left)
            budget.Take(3 * count);
        return stream.ReadBytes(count);
    }

    private long Length(ulong length, long at) => length <= long.MaxValue
        ? (long)length
        : throw stream.Problem("a length in the pickle is negative or beyond all files", null, at);

    private BigInteger Integer(int length, long at) => length is >= 0 and <= LongestInteger
        ? new BigInteger(stream.ReadBytes(length))
        : throw stream.Problem($"an integer of {length} bytes", $"at most {LongestInteger}", at);

    private BigInteger Integer(string digits, long at) =>
        BigInteger.TryParse(digits, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw stream.Problem("a number of the pickle cannot be read", null, at);

    private string Unicode(byte[] bytes, long at)
    {
        try
        {
            return Utf8.GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            throw stream.Problem("a text of the pickle is not Unicode", "UTF-8", at);
        }
    }

    // What Python 2 calls a string may be text or bytes: names are plain either way.
    private static string Text(byte[] bytes)
    {
        try
        {
            return Utf8.GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            return Encoding.Latin1.GetString(bytes);
        }
    }

    private string RawUnicode(string line, long at)
    {
        budget.Take(3 * line.Length);
        var text = new StringBuilder();
        for (var i = 0; i < line.Length; i++)
        {
            var digits = line[i] == '\\' && i + 1 < line.Length ? line[i + 1] switch { 'u' => 4, 'U' => 8, _ => 0 } : 0;
            if (digits == 0)
            {
                text.Append(line[i]);
                continue;
            }
            if (line.Length < i + 2 + digits
                || !int.TryParse(line.AsSpan(i + 2, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code)
                || !Rune.IsValid(code))
            {
                throw stream.Problem("a text of the pickle is not Unicode", null, at);
            }
            text.Append(new Rune(code));
            i += 1 + digits;
        }
        return text.ToString();
    }

    private string Quoted(string line, long at)
    {
        budget.Take(3 * line.Length);
        var isQuoted = line.Length >= 2 && line[0] is '\'' or '"' && line[^1] == line[0];
        return isQuoted && !line.Contains('\\')
            ? line[1..^1]
            : throw stream.Problem("a text of the pickle is not quoted, or has escapes, which are not read", null, at);
    }
}
