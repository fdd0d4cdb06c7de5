using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using Merge.Sdk;

namespace Merge.Plugins;

/// <summary>What the main assembly of a plugin folder says of itself, read without running any of it.</summary>
/// <param name="Path">The dll.</param>
/// <param name="Version">As its author wrote it, without what the compiler appends after '+'.</param>
/// <param name="References">Every assembly it refers to.</param>
/// <param name="IsProgram">Whether it has an entry point, as a program or a test project has.</param>
internal sealed record PluginAssembly(string Path, string Version, IReadOnlyList<AssemblyName> References, bool IsProgram)
{
    /// <summary>The contract it was built against, or null: it does not know the SDK, so it is no plugin.</summary>
    public Version? Contract => References.FirstOrDefault(r => r.Name == PluginLoadContext.Sdk.Name)?.Version;

    /// <summary>The assemblies it must bring along: neither the SDK nor the framework has them.</summary>
    public IEnumerable<AssemblyName> PrivateReferences =>
        References.Where(r => r.Name != PluginLoadContext.Sdk.Name && !FrameworkAssemblies.Contain(r.Name!));

    /// <summary>
    /// What a plugin is called wherever it is named: as its main assembly, since a folder may be any <c>net10.0</c>. The host's own are
    /// called as their folders, and so is what has no main assembly.
    /// </summary>
    public static string NameOf(string folder)
    {
        try
        {
            if (!PluginFolders.IsOwn(folder))
                return System.IO.Path.GetFileNameWithoutExtension(Find(folder));
        }
        catch (Exception e) when (e is MergeException or IOException or UnauthorizedAccessException)
        {
            // What is wrong with it is told where it is loaded.
        }
        return System.IO.Path.GetFileName(folder);
    }

    /// <summary>
    /// Finds the main assembly: the dll that a <c>.deps.json</c> names, else the only dll, else the one named after
    /// the folder.
    /// </summary>
    /// <exception cref="MergeException">There is none, or more than one could be meant.</exception>
    public static string Find(string folder)
    {
        var name = System.IO.Path.GetFileName(folder);
        var described = Directory.GetFiles(folder, "*.deps.json").Select(path => path[..^".deps.json".Length] + ".dll");
        string[] dlls =
        [
            .. Directory.GetFiles(folder, "*.dll").Where(path => System.IO.Path.GetFileNameWithoutExtension(path) != PluginLoadContext.Sdk.Name),
        ];
        foreach (var candidates in (IReadOnlyList<string>[])[[.. described], dlls])
        {
            var main = candidates.Count == 1
                ? candidates[0]
                : candidates.FirstOrDefault(path => System.IO.Path.GetFileNameWithoutExtension(path) == name);
            if (main is null)
                continue;
            return File.Exists(main)
                ? main
                : throw Unusable(folder, $"its {System.IO.Path.GetFileName(main)} is missing",
                    fix: "Build or copy the whole folder again.");
        }
        throw dlls.Length == 0
            ? Unusable(folder, "there is no dll of a plugin in it", actor: Actor.User,
                fix: "Give the folder a plugin was built into, bin/Release/net10.0 of its project.")
            : Unusable(folder, "which of its dlls is the plugin cannot be told",
                expected: $"one .deps.json beside its dll, or a dll named as the folder, {name}.dll");
    }

    /// <summary>Reads the metadata of a dll.</summary>
    /// <exception cref="MergeException">It is not a .NET assembly that every processor can run.</exception>
    public static PluginAssembly Read(string path)
    {
        try
        {
            using var pe = new PEReader(File.OpenRead(path));
            if (!pe.HasMetadata)
                throw Unusable(path, "it is a native library, not a .NET assembly");
            if ((pe.PEHeaders.CorHeader!.Flags & (CorFlags.ILOnly | CorFlags.ILLibrary)) == 0)
            {
                throw Unusable(path, "it mixes native and .NET code, which cannot be unloaded",
                    fix: "Build it as plain .NET, with native code in a library of its own.");
            }
            var metadata = pe.GetMetadataReader();
            return new(path, VersionOf(metadata), [.. metadata.AssemblyReferences
                .Select(handle => metadata.GetAssemblyReference(handle).GetAssemblyName())],
                IsProgram: pe.PEHeaders.CorHeader.EntryPointTokenOrRelativeVirtualAddress != 0);
        }
        catch (Exception e) when (e is BadImageFormatException or InvalidOperationException)
        {
            throw Unusable(path, "it is not a .NET assembly, or it is damaged", fix: "Build or copy it again.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unusable(path, $"it cannot be read: {e.Message}", actor: Actor.User);
        }
    }

    private static MergeException Unusable(
        string where, string found, string? expected = null, string? fix = null, Actor actor = Actor.PluginAuthor) =>
        new(new Diagnostic(found) { Actor = actor, Where = where, Expected = expected, Fix = fix });

    private static string VersionOf(MetadataReader metadata)
    {
        var assembly = metadata.GetAssemblyDefinition();
        foreach (var handle in assembly.GetCustomAttributes())
        {
            var attribute = metadata.GetCustomAttribute(handle);
            if (attribute.Constructor.Kind != HandleKind.MemberReference)
                continue;
            var constructor = metadata.GetMemberReference((MemberReferenceHandle)attribute.Constructor);
            if (constructor.Parent.Kind != HandleKind.TypeReference)
                continue;
            var type = metadata.GetTypeReference((TypeReferenceHandle)constructor.Parent);
            if (!metadata.StringComparer.Equals(type.Name, nameof(AssemblyInformationalVersionAttribute)))
                continue;
            var value = metadata.GetBlobReader(attribute.Value);
            value.ReadUInt16();
            if (value.ReadSerializedString() is { Length: > 0 } version)
                return version.Split('+')[0];
        }
        return assembly.Version.ToString(3);
    }
}
