using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace EndToEnd.Tests.Support;

/// <summary>A view of a tensor's elements.</summary>
internal sealed record TinyView(TinyTensor Storage, long Offset, long[] Shape, long[] Strides);

/// <summary>Files as torch.save writes them, in a few lines: dicts by text, lists, texts, integers and tensors.</summary>
internal static class TinyPyTorch
{
    public static void Write(string path, object root)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        using var archive = ZipFile.Open(path, ZipArchiveMode.Create);
        var storages = new List<TinyTensor>();
        var pickle = new MemoryStream();
        pickle.Write([0x80, 2]);
        Put(pickle, root, storages);
        pickle.WriteByte((byte)'.');
        Member("archive/data.pkl", pickle.ToArray());
        foreach (var (i, storage) in storages.Index())
            Member($"archive/data/{i}", storage.Bytes);

        void Member(string name, byte[] bytes)
        {
            using var member = archive.CreateEntry(name, CompressionLevel.NoCompression).Open();
            member.Write(bytes);
        }
    }

    /// <summary>A state dict.</summary>
    public static Dictionary<string, object> Dict(params TinyTensor[] tensors) => tensors.ToDictionary(t => t.Name, t => (object)t);

    /// <summary>A model folder of one PyTorch file, with a config and a tokenizer.</summary>
    public static void WriteFolder(string folder, params TinyTensor[] tensors)
    {
        TinyCheckpoint.Write(folder, tensors);
        File.Delete(Path.Combine(folder, "model.safetensors"));
        Write(Path.Combine(folder, "pytorch_model.bin"), Dict(tensors));
    }

    private static void Put(MemoryStream pickle, object value, List<TinyTensor> storages)
    {
        switch (value)
        {
            case string text:
                Opcode('X', Encoding.UTF8.GetByteCount(text));
                pickle.Write(Encoding.UTF8.GetBytes(text));
                break;
            case long number:
                Opcode('J', (int)number);
                break;
            case Dictionary<string, object> dict:
                Text("}(");
                foreach (var (key, item) in dict)
                {
                    Put(pickle, key, storages);
                    Put(pickle, item, storages);
                }
                Text("u");
                break;
            case object[] list:
                Text("](");
                foreach (var item in list)
                    Put(pickle, item, storages);
                Text("e");
                break;
            case long[] sizes:
                Text("(");
                foreach (var size in sizes)
                    Opcode('J', (int)size);
                Text("t");
                break;
            case TinyTensor tensor:
                var strides = new long[tensor.Shape.Length];
                for (var (i, n) = (strides.Length - 1, 1L); i >= 0; n *= tensor.Shape[i--])
                    strides[i] = n;
                Put(pickle, new TinyView(tensor, 0, tensor.Shape, strides), storages);
                break;
            case TinyView view:
                if (!storages.Contains(view.Storage))
                    storages.Add(view.Storage);
                Text($"ctorch._utils\n_rebuild_tensor_v2\n((U\astoragectorch\n{Class(view.Storage.DType)}\n");
                Put(pickle, $"{storages.IndexOf(view.Storage)}", storages);
                Text("U\u0003cpu");
                Opcode('J', view.Storage.Bytes.Length / TinyTensor.SizeOf(view.Storage.DType));
                Text("tQ");
                Put(pickle, view.Offset, storages);
                Put(pickle, view.Shape, storages);
                Put(pickle, view.Strides, storages);
                Text("\u0089ccollections\nOrderedDict\n)RtR");
                break;
            default:
                throw new ArgumentException($"{value}");
        }

        void Text(string opcodes) => pickle.Write(Encoding.Latin1.GetBytes(opcodes));

        void Opcode(char opcode, int argument)
        {
            Span<byte> bytes = [(byte)opcode, 0, 0, 0, 0];
            BinaryPrimitives.WriteInt32LittleEndian(bytes[1..], argument);
            pickle.Write(bytes);
        }
    }

    private static string Class(string dtype) => dtype switch
    {
        "F32" => "FloatStorage",
        "BF16" => "BFloat16Storage",
        _ => throw new ArgumentException(dtype),
    };
}
