using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;

namespace Host.Tests.Plugins;

/// <summary>Assemblies without code that only refer to another, for contracts that do not exist yet.</summary>
internal static class BareAssembly
{
    public static byte[] ReferringTo(
        string name, Version version, CorFlags flags = CorFlags.ILOnly, bool isProgram = false)
    {
        var metadata = new MetadataBuilder();
        var id = metadata.GetOrAddGuid(new Guid(1, 2, 3, new byte[8]));
        metadata.AddModule(0, metadata.GetOrAddString("bare.dll"), id, default, default);
        metadata.AddAssembly(
            metadata.GetOrAddString("bare"), new Version(1, 2, 3, 4), default, default, 0, AssemblyHashAlgorithm.None);
        metadata.AddTypeDefinition(
            TypeAttributes.NotPublic, default, metadata.GetOrAddString("<Module>"), default,
            MetadataTokens.FieldDefinitionHandle(1), MetadataTokens.MethodDefinitionHandle(1));
        metadata.AddAssemblyReference(metadata.GetOrAddString(name), version, default, default, default, default);
        var image = new BlobBuilder();
        new ManagedPEBuilder(
            PEHeaderBuilder.CreateLibraryHeader(), new MetadataRootBuilder(metadata), new BlobBuilder(),
            entryPoint: isProgram ? MetadataTokens.MethodDefinitionHandle(1) : default, flags: flags)
            .Serialize(image);
        return image.ToArray();
    }
}
