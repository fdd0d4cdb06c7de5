using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;

namespace Merge.Testing.Rules;

/// <summary>A place in compiled code.</summary>
/// <param name="Method">A method.</param>
/// <param name="Offset">In bytes of its IL.</param>
internal sealed record CodePlace(MethodBase Method, int Offset)
{
    /// <summary>The name, with file and line where the assembly has symbols.</summary>
    public string WithLine => Line() is { } line ? $"{this}, {line}" : $"{this} (with symbols beside the assembly its line is told)";

    /// <summary>The name; of what the compiler made, that of the method it was made from: &lt;Plan&gt;d__2.MoveNext is Plan.</summary>
    public override string ToString()
    {
        var type = Method.DeclaringType!;
        foreach (var name in (string[])[Method.Name, type.Name])
        {
            if (name.StartsWith('<') && name.IndexOf('>') is > 1 and var end)
            {
                var owner = type;
                while (owner.Name.StartsWith('<') && owner.DeclaringType is { } outer)
                    owner = outer;
                return $"{owner.Name}.{name[1..end]}";
            }
        }
        return $"{type.Name}.{Method.Name}";
    }

    private string? Line()
    {
        try
        {
            var assembly = Method.Module.Assembly.Location;
            if (assembly.Length == 0)
                return null;
            using var image = new PEReader(File.OpenRead(assembly));
            if (!image.TryOpenAssociatedPortablePdb(assembly, Existing, out var symbols, out _))
                return null;
            using (symbols)
                return Line(symbols!.GetMetadataReader());
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or BadImageFormatException)
        {
            return null;
        }

        static FileStream? Existing(string path) => File.Exists(path) ? File.OpenRead(path) : null;
    }

    private string? Line(MetadataReader symbols)
    {
        var method = (MethodDefinitionHandle)MetadataTokens.EntityHandle(Method.MetadataToken);
        SequencePoint[] lines = [.. symbols.GetMethodDebugInformation(method).GetSequencePoints().Where(p => !p.IsHidden)];
        if (lines.Length == 0)
            return null;
        var at = lines[Math.Max(0, Array.FindLastIndex(lines, p => p.Offset <= Offset))];
        return $"{symbols.GetString(symbols.GetDocument(at.Document).Name)}:{at.StartLine}";
    }
}
