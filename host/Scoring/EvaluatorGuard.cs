using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;

namespace Merge.Scoring;

/// <summary>
/// Ends evaluators whose search was killed. A process that is killed can do nothing any more, and the kernel ends no children:
/// so a second one of this program is told of every evaluator that starts and ends, and acts when nobody can tell it more. Where
/// the host is not the program that runs (a test), there is none.
/// </summary>
internal sealed class EvaluatorGuard : IDisposable
{
    /// <summary>The command, not listed, that <see cref="Watch"/> is.</summary>
    public const string Verb = "guard-evaluators";

    private readonly Lock _gate = new();
    private Process? _guard;
    private bool _isAsked;

    /// <summary>An evaluator has started.</summary>
    public void Add(Process evaluator) => Tell('+', evaluator);

    /// <summary>It has ended: its number may soon be another's.</summary>
    public void Remove(Process evaluator) => Tell('-', evaluator);

    /// <summary>Reads what evaluators run until there is nothing more to read, then ends those that are left.</summary>
    public static void Watch(TextReader input)
    {
        // Ctrl-C and a closed terminal reach it, too; its search will end the evaluators itself, or be killed trying.
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, c => c.Cancel = true);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, c => c.Cancel = true);
        using var hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, c => c.Cancel = true);
        var running = new HashSet<int>();
        while (input.ReadLine() is { } line)
        {
            if (line.Length < 2 || !int.TryParse(line.AsSpan(1), NumberStyles.None, CultureInfo.InvariantCulture, out var id))
                continue;
            if (line[0] == '+')
                running.Add(id);
            else
                running.Remove(id);
        }
        foreach (var id in running)
            End(id);
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _guard?.Dispose();
            _guard = null;
        }
    }

    private void Tell(char sign, Process evaluator)
    {
        lock (_gate)
        {
            if (!_isAsked)
            {
                _isAsked = true;
                _guard = Start();
            }
            try
            {
                if (_guard is null)
                    return;
                _guard.StandardInput.Write(string.Create(CultureInfo.InvariantCulture, $"{sign}{evaluator.Id}\n"));
                _guard.StandardInput.Flush();
            }
            catch (Exception gone) when (gone is IOException or InvalidOperationException)
            {
                // Somebody ended it: the search does not depend on it.
                _guard = null;
            }
        }
    }

    private static Process? Start()
    {
        var own = typeof(EvaluatorGuard).Assembly;
        if (Assembly.GetEntryAssembly() != own || Environment.ProcessPath is not { } program)
            return null;
        var isHosted = Path.GetFileNameWithoutExtension(program) == "dotnet";
        var start = new ProcessStartInfo(program, isHosted ? [own.Location, Verb] : [Verb])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        try
        {
            return Process.Start(start);
        }
        catch (Win32Exception)
        {
            return null;
        }
    }

    private static void End(int id)
    {
        try
        {
            using var process = Process.GetProcessById(id);
            EvaluatorProgram.Kill(process);
        }
        catch (Exception gone) when (gone is ArgumentException or InvalidOperationException)
        {
            // It has ended by itself.
        }
    }
}
