namespace Merge.Plugins;

/// <summary>The assemblies of the .NET runtime itself, which host and plugins share.</summary>
internal static class FrameworkAssemblies
{
    private static readonly string Folder = Path.GetDirectoryName(typeof(object).Assembly.Location)!;

    public static bool Contain(string name) => File.Exists(Path.Combine(Folder, name + ".dll"));
}
