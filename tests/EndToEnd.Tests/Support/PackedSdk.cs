using System.Diagnostics;

namespace EndToEnd.Tests.Support;

/// <summary>
/// The packages, packed once from what is built, and a home in which their templates are installed: neither the user's templates nor their packages
/// are touched. Of packages that are not ours, those that the repository was restored with are taken, without a network.
/// </summary>
public sealed class PackedSdk : IDisposable
{
    public const string Collection = "packed SDK";

    private static readonly TimeSpan _patience = TimeSpan.FromMinutes(8);

    public PackedSdk()
    {
        Dotnet(MergeProcess.Root, "pack", Path.Combine(MergeProcess.Root, "sdk"), "-o", Feed, "--no-build", "-nodeReuse:false");
        Scratch.Write("nuget.config", $"""
            <configuration>
              <packageSources><clear /><add key="merge" value="{Feed}" /></packageSources>
              <fallbackPackageFolders><clear /><add key="restored" value="{Restored}" /></fallbackPackageFolders>
            </configuration>
            """);
        Dotnet(Scratch["."], "new", "install", Directory.GetFiles(Feed, "Merge.Templates.*.nupkg").Single());
    }

    internal Scratch Scratch { get; } = new();

    /// <summary>The folder of the packages.</summary>
    public string Feed => Scratch["feed"];

    private static string Restored => Environment.GetEnvironmentVariable("NUGET_PACKAGES")
        ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");

    /// <summary>Makes a project by a template; gives its folder.</summary>
    public string New(string template, string name)
    {
        Dotnet(Scratch["."], "new", template, "-n", name);
        return Scratch[name];
    }

    /// <summary>Runs dotnet, which must succeed.</summary>
    public void Dotnet(string folder, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        // Of the build that runs these tests, which would decide what is built here.
        foreach (var name in start.Environment.Keys.Where(k => k.StartsWith("MSBuild", StringComparison.OrdinalIgnoreCase)).ToArray())
            start.Environment.Remove(name);
        start.Environment["DOTNET_CLI_HOME"] = Scratch["home"];
        start.Environment["DOTNET_NOLOGO"] = "1";
        start.Environment["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1";
        if (folder != MergeProcess.Root)
            start.Environment["NUGET_PACKAGES"] = Scratch["packages"];
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(_patience))
        {
            process.Kill(entireProcessTree: true);
            process.WaitForExit();
        }
        Assert.True(process.ExitCode == 0, $"dotnet {string.Join(' ', arguments)}:\n{output.Result}{error.Result}");
    }

    public void Dispose() => Scratch.Dispose();
}

[CollectionDefinition(PackedSdk.Collection)]
public sealed class PackedSdkCollection : ICollectionFixture<PackedSdk>;
