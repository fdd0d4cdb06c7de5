using System.Diagnostics;
using System.Globalization;

namespace Merge.Benchmarks;

/// <summary>One finished process.</summary>
/// <param name="Seconds">From start to exit.</param>
/// <param name="PeakBytes">Its largest resident set.</param>
internal sealed record MeasuredProcess(double Seconds, long PeakBytes)
{
    private const int PollMilliseconds = 5;

    /// <summary>
    /// Runs a command to its end. The peak is the kernel's own high-water mark (VmHWM) as last seen, so only growth in
    /// the last 5 ms goes unseen. Not wait4's maximum: that one also counts this process, before the child's exec.
    /// Linux only.
    /// </summary>
    /// <exception cref="InvalidOperationException">It failed; the message ends with what it wrote to
    /// stderr.</exception>
    public static MeasuredProcess Run(string command, params IReadOnlyList<string> arguments)
    {
        var start = new ProcessStartInfo(command, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        var time = Stopwatch.StartNew();
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        long peak = 0;
        do
            peak = Math.Max(peak, HighWaterMark(process.Id));
        while (!process.WaitForExit(PollMilliseconds));
        var seconds = time.Elapsed.TotalSeconds;

        Task.WaitAll(output, errors);
        return process.ExitCode == 0
            ? new MeasuredProcess(seconds, peak)
            : throw new InvalidOperationException(
                $"{command} {string.Join(' ', arguments)}: exit code {process.ExitCode}\n{errors.Result}");
    }

    private static long HighWaterMark(int process)
    {
        try
        {
            // "VmHWM:     12345 kB"; a process on its way out has no such line.
            var line = File.ReadLines($"/proc/{process}/status")
                .FirstOrDefault(l => l.StartsWith("VmHWM:", StringComparison.Ordinal));
            return line is null ? 0 : 1024 * long.Parse(line[6..^2].Trim(), CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            return 0;
        }
    }
}
