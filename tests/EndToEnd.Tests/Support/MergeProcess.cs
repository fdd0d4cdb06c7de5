using System.Diagnostics;
using System.Runtime.InteropServices;

namespace EndToEnd.Tests.Support;

/// <summary>The built program, running. Whatever still runs when it is disposed is killed.</summary>
internal sealed partial class MergeProcess : IDisposable
{
    /// <summary>Far more than any test needs: what runs longer hangs.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private static readonly string[] Foreign =
    [
        "MERGE_PLUGINS", "HF_HOME", "HF_HUB_CACHE", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "NO_COLOR", "TERM", "LANG",
        "LC_ALL",
    ];

    private readonly Process _process;
    private readonly Task<string> _output;
    private readonly Task<string> _error;

    private MergeProcess(ProcessStartInfo start)
    {
        _process = Process.Start(start)!;
        _output = _process.StandardOutput.ReadToEndAsync();
        _error = _process.StandardError.ReadToEndAsync();
    }

    /// <summary>The repository: the folder of Merge.sln above the tests' assembly.</summary>
    public static string Root { get; } = FindRoot();

    public static string Program { get; } = Path.Combine(Root, "artifacts", "merge", "merge");

    public static string TestPlugins => Path.Combine(Root, "artifacts", "testplugins");

    public bool HasExited => _process.HasExited;

    /// <summary>Starts the built merge; its home, where it looks for models, is the working directory.</summary>
    public static MergeProcess Run(string workingDirectory, params string[] arguments) =>
        Start(Program, workingDirectory, [], arguments);

    public static MergeProcess Start(
        string program, string workingDirectory, Dictionary<string, string> environment, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = workingDirectory,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        foreach (var name in Foreign)
            start.Environment.Remove(name);
        start.Environment["HOME"] = workingDirectory;
        // Of the runtime the tests run on; it need not be where an application host looks by itself.
        var dotnet = Path.GetFullPath("../../..", RuntimeEnvironment.GetRuntimeDirectory());
        start.Environment["DOTNET_ROOT"] = dotnet;
        start.Environment["PATH"] = $"{dotnet}{Path.PathSeparator}{start.Environment["PATH"]}";
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        return new MergeProcess(start);
    }

    /// <summary>Waits for the end; one that does not come kills the process and fails the test.</summary>
    public Outcome Wait(TimeSpan? patience = null)
    {
        if (!_process.WaitForExit(patience ?? Patience))
        {
            _process.Kill(entireProcessTree: true);
            _process.WaitForExit();
            var said = new Outcome(-1, _output.Result, _error.Result);
            Assert.Fail($"merge did not end in {patience ?? Patience}: {said}");
        }
        return new Outcome(_process.ExitCode, _output.GetAwaiter().GetResult(), _error.GetAwaiter().GetResult());
    }

    /// <summary>Sends a POSIX signal, by its number.</summary>
    public void Signal(int signal) => Assert.Equal(0, Kill(_process.Id, signal));

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            _process.WaitForExit();
        }
        _process.Dispose();
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Merge.sln")))
            folder = folder.Parent;
        return folder?.FullName ?? throw new DirectoryNotFoundException($"no Merge.sln above {AppContext.BaseDirectory}");
    }
}
