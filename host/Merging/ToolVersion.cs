using System.Reflection;

namespace Merge.Merging;

/// <summary>The version every output records.</summary>
internal static class ToolVersion
{
    /// <summary>For example <c>0.1.0</c>, without the build's commit.</summary>
    public static string Text { get; } = typeof(ToolVersion).Assembly
        .GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];
}
