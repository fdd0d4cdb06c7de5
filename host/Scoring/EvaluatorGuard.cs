using System.ComponentModel;
using System.Diagnostics;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Text;
using Merge.Checkpoints;

namespace Merge.Scoring;

/// <summary>
/// Ends evaluators whose search was killed. A process that is killed can do nothing any more, and the kernel ends no children:
/// so a second one of this program waits until the search is gone, and then ends whatever still carries its mark, a variable
/// that evaluators and all they start inherit. On Linux; and not where the host is not the program that runs (a test).
/// </summary>
internal sealed class EvaluatorGuard : IDisposable
{
    /// <summary>The command, not listed, that <see cref="Watch"/> is.</summary>
    public const string Verb = "guard-evaluators";

    private const string Mark = "MERGE_GUARD";
    private const string Processes = "/proc";

    // Not the program's own: who ends all of that name, ends the search, and not what cleans up after it.
    private const string OwnName = "eval-guard";

    // What is found may just be starting something.
    private const int MostRounds = 20;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    private readonly Lock _gate = new();
    private Process? _guard;
    private bool _isOpen;

    /// <summary>Marks an evaluator that is about to be started; the first starts the guard.</summary>
    public void Take(ProcessStartInfo evaluator)
    {
        lock (_gate)
        {
            if (!_isOpen)
                _guard = Start();
            _isOpen = true;
        }
        evaluator.Environment[Mark] = Own;
    }

    /// <summary>
    /// Waits for the end of its input, which is that of the search, then ends what the search has left. A search that ends
    /// by itself says so before, and what its evaluators leave running on purpose stays.
    /// </summary>
    /// <param name="input">The search's good-bye, or nothing.</param>
    /// <param name="mark">The search's.</param>
    public static void Watch(TextReader input, string mark)
    {
        // Ctrl-C and a closed terminal reach it, too; its search will end the evaluators itself, or be killed trying.
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, c => c.Cancel = true);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, c => c.Cancel = true);
        using var hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, c => c.Cancel = true);
        Rename();
        if (input.Read() >= 0)
            return;
        var wanted = Encoding.UTF8.GetBytes($"{Mark}={mark}\0");
        for (var round = 0; round < MostRounds && EndAll(wanted); round++)
            Thread.Sleep(Pause);
    }

    public void Dispose()
    {
        lock (_gate)
        {
            if (_guard is not null)
                SendHome(_guard);
            _guard = null;
        }
    }

    private static void SendHome(Process guard)
    {
        try
        {
            guard.StandardInput.WriteLine();
            guard.StandardInput.Close();
        }
        catch (IOException)
        {
            // It was ended.
        }
        guard.Dispose();
    }

    private static void Rename()
    {
        try
        {
            File.WriteAllText(Path.Combine(Processes, "self", "comm"), OwnName);
        }
        catch (Exception fault) when (FileProblem.Is(fault))
        {
            // A system that does not let it.
        }
    }

    private static string Own => $"{Environment.MachineName}.{Environment.ProcessId}";

    private static Process? Start()
    {
        var own = typeof(EvaluatorGuard).Assembly;
        if (!OperatingSystem.IsLinux() || Assembly.GetEntryAssembly() != own || Environment.ProcessPath is not { } program)
            return null;
        var isHosted = Path.GetFileNameWithoutExtension(program) == "dotnet";
        var start = new ProcessStartInfo(program, isHosted ? [own.Location, Verb, Own] : [Verb, Own])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        // A search that an evaluator runs has a guard of its own, which must outlive it.
        start.Environment.Remove(Mark);
        try
        {
            return Process.Start(start);
        }
        catch (Win32Exception)
        {
            return null;
        }
    }

    private static bool EndAll(byte[] mark)
    {
        var any = false;
        foreach (var folder in Directory.EnumerateDirectories(Processes))
        {
            if (!int.TryParse(Path.GetFileName(folder), out var id) || !Carries(folder, mark))
                continue;
            any = true;
            End(id);
        }
        return any;
    }

    private static bool Carries(string folder, byte[] mark)
    {
        try
        {
            var variables = File.ReadAllBytes(Path.Combine(folder, "environ"));
            return variables.AsSpan().StartsWith(mark) || variables.AsSpan().IndexOf((byte[])[0, .. mark]) >= 0;
        }
        catch (Exception fault) when (FileProblem.Is(fault))
        {
            // Another user's, or it has ended.
            return false;
        }
    }

    private static void End(int id)
    {
        try
        {
            using var process = Process.GetProcessById(id);
            process.Kill();
        }
        catch (Exception gone) when (gone is ArgumentException or InvalidOperationException or Win32Exception)
        {
            // It has ended by itself.
        }
    }
}
