using System.CommandLine;
using System.Diagnostics;
using Merge.Checkpoints;
using Merge.Merging;
using Merge.Planning;
using Merge.Plugin.Ties;
using Merge.Plugin.Uniform;
using Merge.Sdk;

namespace Merge.Benchmarks;

/// <summary>
/// <c>generation</c>: times merging many candidates of resident checkpoints in one pass, against reading all inputs
/// once from memory and writing as many bytes as the candidates have.
/// </summary>
internal static class Generation
{
    public static Command Command()
    {
        var folder = new Argument<string>("FOLDER") { Description = "Where the checkpoints are made; removed after." };
        var models = new Option<int>("--models") { DefaultValueFactory = _ => 20 };
        var candidates = new Option<int>("--candidates") { DefaultValueFactory = _ => 32 };
        var parameters = new Option<long>("--parameters") { DefaultValueFactory = _ => 10_000_000 };
        var dtype = new Option<string>("--dtype")
        {
            Description = "f32, bf16 or f16",
            DefaultValueFactory = _ => "f32",
        };
        var method = new Option<string>("--method")
        {
            Description = "linear (weights drawn anew), ties (only lambda differs) or densities (of ties)",
            DefaultValueFactory = _ => "linear",
        };
        var threads = new Option<int>("--threads") { DefaultValueFactory = _ => Environment.ProcessorCount };
        var rounds = new Option<int>("--rounds") { DefaultValueFactory = _ => 5 };
        var command = new Command("generation", "Times merging a generation of candidates in one pass.")
        {
            folder, models, candidates, parameters, dtype, method, threads, rounds,
        };
        command.SetAction(parse => Run(
            parse.GetRequiredValue(folder),
            parse.GetValue(models),
            parse.GetValue(candidates),
            parse.GetValue(parameters),
            Precision.ByName[parse.GetValue(dtype)!],
            parse.GetValue(method)!,
            parse.GetValue(threads),
            parse.GetValue(rounds)));
        return command;
    }

    private static void Run(
        string folder, int models, int candidates, long parameters, Precision precision, string method, int threads,
        int rounds)
    {
        var isLinear = method == "linear";
        var opened = new List<Checkpoint>();
        try
        {
            GenerateModels.Write(folder, isLinear ? models : models + 1, parameters, precision);
            for (var i = 0; i < (isLinear ? models : models + 1); i++)
                opened.Add(Checkpoint.Open(Path.Combine(folder, $"model-{i}")));
            var plan = Plan(opened, isLinear);
            var settings = new RunSettings { Threads = threads, Memory = 12L << 30 };
            using var generation = new GenerationMerge(plan, settings);
            var sinks = Enumerable.Range(0, candidates).Select(_ => new MemorySink(plan)).ToArray();
            var outputBytes = plan.Tensors.Sum(t => t.Info.Count * t.OutType.Bits() / 8);
            using var floor = new MemoryFloor(plan.InputBytes, outputBytes, threads);
            Console.WriteLine(Machine.Description);
            Console.WriteLine(
                $"{candidates} candidates of {method} over {opened.Count} checkpoints, {parameters / 1e6:F2} M parameters "
                + $"in {plan.Tensors.Count} tensors, {precision.SafetensorsName}, {threads} thread(s); "
                + $"{generation.ResidentBytes / 1e6:F0} MB stay in memory");
            var pairs = new List<(double Floor, double Merge)>();
            var processor = new List<(double Floor, double Merge)>();
            for (var round = 0; round <= rounds; round++)
            {
                var started = Processor();
                var floorSeconds = floor.Run(candidates);
                var between = Processor();
                var time = Stopwatch.StartNew();
                var first = round * candidates;
                var members = sinks.Select((sink, c) =>
                {
                    var options = Options(method, models, first + c);
                    return new GenerationMember(_ => options, sink);
                });
                var merged = generation.Run([.. members], default);
                var seconds = time.Elapsed.TotalSeconds;
                if (merged.FirstOrDefault(m => m.Fault is not null) is { } failed)
                    throw new InvalidOperationException("a candidate failed", failed.Fault);
                // The first reads the files and compiles.
                if (round > 0)
                {
                    pairs.Add((floorSeconds, seconds));
                    processor.Add((between - started, Processor() - between));
                }
                if (round < 3 || round == rounds)
                    Console.WriteLine($"round {round}  floor {floorSeconds:F4} s   generation {seconds:F4} s");
            }
            var floorMedian = Statistics.Median(pairs.Select(p => p.Floor));
            var mergeMedian = Statistics.Median(pairs.Select(p => p.Merge));
            Console.WriteLine(
                $"median   floor {floorMedian:F4} s   generation {mergeMedian:F4} s   ratio "
                + $"{Statistics.Median(pairs.Select(p => p.Merge / p.Floor)):F2}   "
                + $"{mergeMedian / candidates * 1000:F3} ms a candidate   {pairs.Sum(p => p.Merge):F2} s in all");
            Console.WriteLine(
                $"processor time   floor {Statistics.Median(processor.Select(p => p.Floor)):F4} s   generation "
                + $"{Statistics.Median(processor.Select(p => p.Merge)):F4} s   ratio "
                + $"{Statistics.Median(processor.Select(p => p.Merge / p.Floor)):F2}");
            foreach (var sink in sinks)
                sink.Dispose();
        }
        finally
        {
            opened.ForEach(o => o.Dispose());
            Directory.Delete(folder, recursive: true);
        }
    }

    // Says more than seconds where other work shares the machine.
    private static double Processor() => Environment.CpuUsage.TotalTime.TotalSeconds;

    private static MergePlan Plan(List<Checkpoint> opened, bool isLinear)
    {
        PlannedModel[] planned = [.. opened.Select((c, i) => new PlannedModel($"model-{i}", c))];
        return MergePlanner.Plan(new PlanRequest
        {
            Strategy = isLinear ? new LinearMerge() : new TiesMerge(),
            Plugin = new("benchmarks", "", ""),
            Origin = new("", [], null),
            Models = isLinear ? planned : planned[1..],
            Base = isLinear ? null : planned[0],
            Donor = planned[0],
            OutType = null,
            Seed = 0,
            Options = _ => isLinear ? new LinearOptions { Weight = 1 } : new TiesOptions { Weight = 1 },
        });
    }

    private static object Options(string method, int models, int number)
    {
        double Draw(int k) => SyntheticValues.Key(1, number, $"{k}") / (double)ulong.MaxValue;
        return method switch
        {
            "linear" => new LinearOptions
            {
                Weight = new PerModel<double>([.. Enumerable.Range(0, models).Select(k => Draw(k) + 0.01)]),
                Normalize = false,
            },
            "ties" => new TiesOptions { Weight = 1, Density = 0.5, Lambda = Draw(0) + 0.5 },
            _ => new TiesOptions { Weight = 1, Density = (Draw(0) * 0.8) + 0.1, Lambda = Draw(1) + 0.5 },
        };
    }
}
