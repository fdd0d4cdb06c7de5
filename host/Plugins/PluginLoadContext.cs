using System.Reflection;
using System.Runtime.Loader;
using Merge.Sdk;

namespace Merge.Plugins;

/// <summary>
/// The world one plugin sees: the SDK and the framework of the host, and for the rest only what its own folder holds.
/// Assemblies are loaded by path, not from a stream: their location, symbols and native libraries are then found, their
/// pages are shared between processes, and a dll replaced as builds and package managers do (a new file under the old
/// name) leaves a running merge alone. The price is Windows' lock on a loaded file until the catalog is disposed.
/// </summary>
/// <param name="main">The plugin's main assembly.</param>
internal sealed class PluginLoadContext(string main)
    : AssemblyLoadContext(Path.GetFileNameWithoutExtension(main), isCollectible: true)
{
    private static readonly Assembly HostSdk = typeof(MergeStrategy).Assembly;

    // Made when first needed: it starts the runtime's host once more, which costs more than loading a small plugin.
    private AssemblyDependencyResolver? _resolver;

    /// <summary>The host's SDK; its version is the contract's.</summary>
    public static AssemblyName Sdk { get; } = HostSdk.GetName();

    /// <summary>The file that gives a private dependency, or null.</summary>
    /// <exception cref="InvalidOperationException">The deps.json names files that are not there.</exception>
    public string? Resolve(AssemblyName name) =>
        (_resolver ??= new AssemblyDependencyResolver(main)).ResolveAssemblyToPath(name);

    protected override Assembly? Load(AssemblyName assemblyName)
    {
        if (assemblyName.Name == Sdk.Name)
            return HostSdk;
        if (FrameworkAssemblies.Contain(assemblyName.Name!))
            return null;
        // Null would hand the request on to the host's own libraries, in whatever version it happens to have.
        return Resolve(assemblyName) is { } path
            ? LoadFromAssemblyPath(path)
            : throw new FileNotFoundException("The plugin's folder does not hold it.", assemblyName.FullName);
    }

    protected override nint LoadUnmanagedDll(string unmanagedDllName) =>
        (_resolver ??= new AssemblyDependencyResolver(main)).ResolveUnmanagedDllToPath(unmanagedDllName) is { } path
            ? LoadUnmanagedDllFromPath(path)
            : 0;
}
