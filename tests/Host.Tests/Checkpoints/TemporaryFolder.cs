using System.Buffers.Binary;
using System.Text;
using Merge.Checkpoints;
using Merge.Sdk;

namespace Host.Tests.Checkpoints;

/// <summary>A folder of one test, with ways to write checkpoints into it; deleted afterwards.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("merge-checkpoints-").FullName;

    public string this[string name] => System.IO.Path.Combine(Path, name);

    /// <summary>A safetensors file of a header and as many data bytes (counting up) as asked for.</summary>
    public string Write(string name, string header, int data) => Write(name, Bytes(header, data));

    public string Write(string name, byte[] bytes)
    {
        File.WriteAllBytes(this[name], bytes);
        return this[name];
    }

    public string Write(string name, params string[] tensors) =>
        Write(name, Header(tensors), 4 * tensors.Length);

    public string WriteText(string name, string text)
    {
        File.WriteAllText(this[name], text);
        return this[name];
    }

    public static byte[] Bytes(string header, int data)
    {
        var json = Encoding.UTF8.GetBytes(header);
        var bytes = new byte[8 + json.Length + data];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, json.Length);
        json.CopyTo(bytes, 8);
        for (var i = 0; i < data; i++)
            bytes[8 + json.Length + i] = (byte)i;
        return bytes;
    }

    /// <summary>Tensors of one float each, one after another.</summary>
    public static string Header(params string[] names) => "{" + string.Join(',', names.Select((n, i) =>
        $$"""
        "{{n}}":{"dtype":"F32","shape":[1],"data_offsets":[{{4 * i}},{{(4 * i) + 4}}]}
        """)) + "}";

    /// <summary>Why a path does not open.</summary>
    public static MergeException Refused(string path) => Assert.Throws<MergeException>(() =>
    {
        using var opened = Checkpoint.Open(path);
    });

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
