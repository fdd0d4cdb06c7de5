using System.Collections.Immutable;
using System.Text.Json;
using Merge.Sdk;

namespace Merge.Checkpoints;

/// <summary>Reads the JSON of one header, token by token, and collects what is wrong with it.</summary>
internal sealed class HeaderReader(CheckpointFile file)
{
    private const string MetadataName = "__metadata__";

    private readonly HashSet<string> _names = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _metadata = new(StringComparer.Ordinal);
    private readonly List<StoredTensor> _tensors = [];
    private readonly List<Diagnostic> _problems = [];

    public IReadOnlyList<StoredTensor> Tensors => _tensors;

    public IReadOnlyDictionary<string, string> Metadata => _metadata;

    public IReadOnlyList<Diagnostic> Problems => _problems;

    /// <summary>Notes a problem at a byte of the header's JSON.</summary>
    public void Report(string found, long at, string? tensor = null, string? expected = null)
    {
        var name = tensor is null ? "" : $", tensor '{Shortened(tensor)}'";
        _problems.Add(new Diagnostic(found)
        {
            Where = $"{file.Path}{name}, byte {8 + at}",
            Expected = expected,
            Fix = "The file is damaged or was written wrongly: download or write it again.",
        });
    }

    /// <summary>Reads everything to the end of the header.</summary>
    public void ReadAll(ref Utf8JsonReader json)
    {
        json.Read();
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            var at = json.TokenStartIndex;
            var name = json.GetString()!;
            var isNew = _names.Add(name);
            if (!isNew)
                Report($"the name '{Shortened(name)}' occurs twice in the header", at, name);
            json.Read();
            if (json.TokenType != JsonTokenType.StartObject)
            {
                Report($"'{Shortened(name)}' is not an object", at, name, "dtype, shape and data_offsets");
                json.Skip();
            }
            else if (name == MetadataName)
            {
                ReadMetadata(ref json);
            }
            else
            {
                ReadTensor(ref json, name, at, isNew);
            }
        }
        // What follows the closing brace may only be padding: reading on makes the JSON reader say so.
        json.Read();
    }

    /// <summary>Refuses overlaps and holes: together, tensors cover the data exactly.</summary>
    public void CheckLayout()
    {
        _tensors.Sort((a, b) => a.Offset != b.Offset
            ? a.Offset.CompareTo(b.Offset)
            : a.Length != b.Length ? a.Length.CompareTo(b.Length) : string.CompareOrdinal(a.Name, b.Name));
        var outside = _tensors.Where(t => t.Offset + t.Length > file.Size).ToList();
        if (outside.Count > 0)
        {
            var others = outside.Count == 1 ? "" : $" and {outside.Count - 1} others";
            var last = outside.Max(t => t.Offset + t.Length);
            Locate(outside[0], $"its data{others} end past the end of the file ({file.Size} bytes)", $"{last} bytes");
        }
        var whole = _problems.Count == 0;
        var end = file.DataStart;
        StoredTensor? previous = null;
        foreach (var tensor in _tensors)
        {
            if (tensor.Offset < end)
                Locate(tensor, $"its data overlap those of '{Shortened(previous!.Name)}'", $"byte {end} or later");
            else if (tensor.Offset > end && whole)
                Locate(tensor, $"{tensor.Offset - end} bytes before its data belong to no tensor", $"byte {end}");
            if (tensor.Offset + tensor.Length >= end)
            {
                end = tensor.Offset + tensor.Length;
                previous = tensor;
            }
        }
        if (end < file.Size && whole)
            Report($"{file.Size - end} bytes at the end of the file belong to no tensor", end - 8);
    }

    private void ReadMetadata(ref Utf8JsonReader json)
    {
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            var at = json.TokenStartIndex;
            var key = json.GetString()!;
            json.Read();
            if (json.TokenType != JsonTokenType.String)
            {
                Report($"the metadata '{Shortened(key)}' is not a text", at, expected: "only texts in __metadata__");
                json.Skip();
            }
            else if (!_metadata.TryAdd(key, json.GetString()!))
            {
                Report($"the metadata '{Shortened(key)}' occurs twice", at);
            }
        }
    }

    private void ReadTensor(ref Utf8JsonReader json, string name, long at, bool isNew)
    {
        var before = _problems.Count;
        DType? dtype = null;
        ImmutableArray<long>? shape = null, offsets = null;
        var seen = new HashSet<string>(StringComparer.Ordinal);
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            var fieldAt = json.TokenStartIndex;
            var field = json.GetString()!;
            if (!seen.Add(field))
                Report($"the field '{Shortened(field)}' occurs twice", fieldAt, name);
            json.Read();
            switch (field)
            {
                case "dtype":
                    dtype = ReadDType(ref json, name);
                    break;
                case "shape":
                    shape = ReadSizes(ref json, name, "shape");
                    break;
                case "data_offsets":
                    offsets = ReadSizes(ref json, name, "data_offsets");
                    break;
                default:
                    json.Skip();
                    break;
            }
        }
        foreach (var field in new[] { "dtype", "shape", "data_offsets" })
        {
            if (!seen.Contains(field))
                Report($"the field '{field}' is missing", at, name);
        }
        if (_problems.Count == before && isNew)
            Place(name, at, dtype!.Value, shape!.Value, offsets!.Value);
    }

    private void Place(string name, long at, DType dtype, ImmutableArray<long> shape, ImmutableArray<long> offsets)
    {
        if (offsets.Length != 2 || offsets[0] > offsets[1])
        {
            Report($"its data_offsets are [{Joined(offsets)}]", at, name, "a begin and an end not before it");
            return;
        }
        Int128 count = 1;
        foreach (var size in shape)
        {
            count *= size;
            if (count > long.MaxValue)
            {
                Report($"its shape [{Joined(shape)}] has more elements than 64 bits count", at, name);
                return;
            }
        }
        var bits = count * dtype.Bits();
        var length = offsets[1] - offsets[0];
        if (bits % 8 != 0 || bits / 8 != length)
        {
            var needed = bits % 8 == 0 ? $"{bits / 8}" : "a whole number of";
            Report(
                $"its data take {length} bytes", at, name,
                $"{needed} bytes for {DTypeNames.Text(dtype)} of shape [{Joined(shape)}]");
            return;
        }
        if (offsets[1] > long.MaxValue - file.DataStart)
        {
            Report($"its data_offsets [{Joined(offsets)}] are past the end of the file", at, name);
            return;
        }
        _tensors.Add(new StoredTensor(name, dtype, shape, file, file.DataStart + offsets[0], length));
    }

    private DType? ReadDType(ref Utf8JsonReader json, string name)
    {
        var at = json.TokenStartIndex;
        if (json.TokenType != JsonTokenType.String)
        {
            Report("its dtype is not a text", at, name);
            json.Skip();
            return null;
        }
        var text = json.GetString()!;
        if (DTypeNames.TryParse(text, out var dtype))
            return dtype;
        Report($"unknown dtype '{Shortened(text)}'", at, name,
            DTypeNames.Nearest(text) is { } nearest ? $"perhaps {nearest}" : null);
        return null;
    }

    private ImmutableArray<long>? ReadSizes(ref Utf8JsonReader json, string name, string field)
    {
        var at = json.TokenStartIndex;
        var depth = json.CurrentDepth;
        var isArray = json.TokenType == JsonTokenType.StartArray;
        var sizes = ImmutableArray.CreateBuilder<long>();
        while (isArray && json.Read() && json.TokenType == JsonTokenType.Number
            && json.TryGetInt64(out var size) && size >= 0)
        {
            sizes.Add(size);
        }
        if (isArray && json.TokenType == JsonTokenType.EndArray)
            return sizes.ToImmutable();
        Report($"its {field} is not an array of sizes", at, name, "whole numbers from 0 to 2^63-1");
        if (!isArray)
            json.Skip();
        while (isArray && (json.TokenType != JsonTokenType.EndArray || json.CurrentDepth != depth))
            json.Read();
        return null;
    }

    private void Locate(StoredTensor tensor, string found, string expected) =>
        Report(found, tensor.Offset - 8, tensor.Name, expected);

    private static string Joined(ImmutableArray<long> sizes) =>
        sizes.Length > 16 ? $"{string.Join(',', sizes.Take(16))},…" : string.Join(',', sizes);

    private static string Shortened(string text) => text.Length > 200 ? $"{text[..200]}…" : text;
}
