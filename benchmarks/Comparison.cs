namespace Merge.Benchmarks;

/// <summary>Pairs of a merge and a copy of the same bytes.</summary>
internal sealed record Comparison(
    string Merge, IReadOnlyList<string> Arguments, string[] Inputs, string Output, int FloorThreads, bool Sync)
{
    private string FloorFile => Path.TrimEndingDirectorySeparator(Path.GetFullPath(Output)) + ".floor";

    public void Run(int pairs)
    {
        if (Path.Exists(Output))
            throw new IOException($"{Output} exists, and would be deleted: name a folder that does not.");
        Console.WriteLine(Machine.Description);
        var bare = MeasuredProcess.Run(Merge, "--version");

        // The first merge warms the page cache and tells how much there is to write. It is not counted.
        var first = MeasuredProcess.Run(Merge, Arguments);
        var outputBytes = Copying.Bytes(Copying.Files([Output]));
        Console.WriteLine(
            $"read {Copying.Bytes(Inputs) / 1e9:F2} GB, write {outputBytes / 1e9:F2} GB; "
            + $"floor on {FloorThreads} thread(s){(Sync ? ", synced" : "")}; first merge {first.Seconds:F3} s");

        List<(CopyTime Floor, MeasuredProcess Merge)> runs = [];
        for (var pair = 0; pair < pairs; pair++)
        {
            // In turn also within the pair, so that what the first one leaves behind falls on both equally.
            var floor = pair % 2 == 0 ? Floor() : null;
            var merge = Merging();
            runs.Add((floor ?? Floor(), merge));
            Print($"pair {pair + 1}", runs[^1].Floor.Together, runs[^1].Merge.Seconds, Ratio(runs[^1]));
        }

        Print(
            "median",
            Statistics.Median(runs.Select(r => r.Floor.Together)),
            Statistics.Median(runs.Select(r => r.Merge.Seconds)),
            Statistics.Median(runs.Select(Ratio)));
        var peak = runs.Max(r => r.Merge.PeakBytes);
        Console.WriteLine(
            $"peak RSS {peak / Mebi:F0} MiB, bare runtime (--version) {bare.PeakBytes / Mebi:F0} MiB, "
            + $"above it {(peak - bare.PeakBytes) / Mebi:F0} MiB; --version takes {bare.Seconds:F3} s");
        Directory.Delete(Output, recursive: true);

        CopyTime Floor() => Copying.Run(Inputs, outputBytes, FloorFile, FloorThreads, Sync);
        // Each writes a new folder, as the floor writes a new file: to remove the old one is no part of either.
        MeasuredProcess Merging()
        {
            Directory.Delete(Output, recursive: true);
            return MeasuredProcess.Run(Merge, Arguments);
        }

        static double Ratio((CopyTime Floor, MeasuredProcess Merge) run) => run.Merge.Seconds / run.Floor.Together;
        static void Print(string name, double floor, double merge, double ratio) =>
            Console.WriteLine($"{name,-8}  floor {floor:F3} s   merge {merge:F3} s   ratio {ratio:F2}");
    }

    private const double Mebi = 1 << 20;
}
