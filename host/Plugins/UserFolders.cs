using Merge.Sdk;

namespace Merge.Plugins;

/// <summary>
/// A user's own places, as their system has them: on Linux <c>$XDG_DATA_HOME</c> and <c>$XDG_CONFIG_HOME</c>, or below the
/// home folder where those are not set.
/// </summary>
internal static class UserFolders
{
    /// <summary>Installed plugins, one folder each; null where the user has no home.</summary>
    public static string? Plugins => Below(Environment.SpecialFolder.LocalApplicationData, "plugins");

    /// <summary>The pins of trusted plugins; null where the user has no home.</summary>
    public static string? TrustedPlugins => Below(Environment.SpecialFolder.ApplicationData, "trusted-plugins.json");

    /// <exception cref="MergeException">The user has no home.</exception>
    public static string Require(string? place) => place ?? throw new MergeException(
        new Diagnostic("there is no home folder to keep plugins in") { Fix = "Set HOME, or XDG_DATA_HOME and XDG_CONFIG_HOME." });

    private static string? Below(Environment.SpecialFolder root, string name) =>
        Environment.GetFolderPath(root, Environment.SpecialFolderOption.DoNotVerify) is { Length: > 0 } path
            ? Path.Combine(path, "merge", name)
            : null;
}
