using System.CommandLine;

namespace Merge.Benchmarks;

/// <summary><c>floor</c>: times plain large reads and writes.</summary>
internal static class Floor
{
    public static Command Command()
    {
        var inputs = new Argument<string[]>("INPUTS")
        {
            Description = "Files, or folders of safetensors files, to read.",
            Arity = ArgumentArity.OneOrMore,
        };
        var outputBytes = new Option<long>("--output-bytes") { Description = "Bytes to write.", Required = true };
        var output = new Option<string>("--out") { Description = "File to write; deleted.", Required = true };
        var threads = new Option<int>("--threads") { DefaultValueFactory = _ => 1 };
        var sync = new Option<bool>("--sync") { Description = "Wait for the disk." };
        var repeat = new Option<int>("--repeat") { Description = "Rounds.", DefaultValueFactory = _ => 5 };
        var command = new Command("floor", "Times reading inputs and writing N bytes, with plain 4 MB calls.")
        {
            inputs, outputBytes, output, threads, sync, repeat,
        };
        command.SetAction(parse => Run(
            Copying.Files(parse.GetRequiredValue(inputs)),
            parse.GetValue(outputBytes),
            parse.GetRequiredValue(output),
            parse.GetValue(threads),
            parse.GetValue(sync),
            parse.GetValue(repeat)));
        return command;
    }

    private static void Run(string[] files, long outputBytes, string output, int threads, bool sync, int rounds)
    {
        var inputBytes = Copying.Bytes(files);
        DiskSpace.Require(Path.GetDirectoryName(Path.GetFullPath(output))!, outputBytes);
        Console.WriteLine(Machine.Description);
        Console.WriteLine(
            $"read {inputBytes / 1e9:F2} GB, write {outputBytes / 1e9:F2} GB, "
            + $"{threads} thread(s){(sync ? ", synced" : "")}");

        List<CopyTime> times = [];
        for (var round = 0; round < rounds; round++)
        {
            times.Add(Copying.Run(files, outputBytes, output, threads, sync));
            Print($"round {round + 1}", times[^1]);
        }

        Print("median", Statistics.Median(times));

        void Print(string name, CopyTime time) => Console.WriteLine(
            $"{name,-8}  read {time.Read:F3} s {inputBytes / time.Read / 1e9,6:F2} GB/s"
            + $"   write {time.Write:F3} s {outputBytes / time.Write / 1e9,6:F2} GB/s"
            + $"   together {time.Together:F3} s {(inputBytes + outputBytes) / time.Together / 1e9,6:F2} GB/s");
    }
}
