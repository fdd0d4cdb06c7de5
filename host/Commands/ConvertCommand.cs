using System.CommandLine;
using System.Diagnostics;
using Merge.Checkpoints;
using Merge.Merging;
using Merge.Planning;
using Merge.Recipes;
using Merge.Sdk;

namespace Merge.Commands;

/// <summary><c>merge convert IN OUT</c>: any readable checkpoint to a folder of safetensors.</summary>
internal static class ConvertCommand
{
    private static readonly (string Name, DType DType)[] Types =
    [
        ("float32", DType.F32), ("float16", DType.F16), ("bfloat16", DType.BF16), ("float64", DType.F64),
    ];

    public static Command Create(Terminal terminal)
    {
        var input = MergeOptions.NotEmpty(new Argument<string>("IN")
        {
            Description = "A model folder, a safetensors or PyTorch file, an index, or a model in the Hugging Face cache (org/name).",
        });
        var output = MergeOptions.NotEmpty(new Argument<string>("OUT")
        {
            Description = "The folder to make. Complete as soon as it has this name.",
        });
        output.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: var name }] && name.EndsWith(".safetensors", StringComparison.OrdinalIgnoreCase))
            {
                result.AddError($"OUT is '{name}', the name of a file: a folder is made, with model.safetensors, the config and the "
                    + $"tokenizer in it. Give the folder's name: '{name[..^".safetensors".Length]}'.");
            }
        });
        var dtype = new Option<DType?>("--dtype")
        {
            Description = $"Round floating-point tensors to {string.Join(", ", Types.Select(t => t.Name))}. Default: as they are.",
            HelpName = "DTYPE",
            CustomParser = result => TypeOf(result.Tokens[0].Value, result.AddError),
        };
        dtype.CompletionSources.Add([.. Types.Select(t => t.Name)]);
        var state = new Option<bool>("--state")
        {
            Description = "Convert the optimizer's state (parameter.exp_avg_sq and the like) instead of the weights.",
        };
        var force = new Option<bool>("--force")
        {
            Description = "Replace OUT if an earlier merge or conversion made it; give up other unfinished work on it.",
        };
        var (modelDirs, maxShard) = (MergeOptions.ModelDirs(), MergeOptions.MaxShard());
        var (threads, memory) = (MergeOptions.Threads(), MergeOptions.Memory());
        var command = new Command("convert", "Write any readable checkpoint as safetensors, in one streaming pass.")
        {
            input, output, dtype, state, force, threads, memory, modelDirs, maxShard,
        };
        command.SetAction((parsed, cancellation) =>
        {
            var clock = Stopwatch.StartNew();
            var text = parsed.GetRequiredValue(input);
            // Resolved as in a recipe in the working directory; here the "recipe" is the command line.
            var places = ModelPlaces.Of(Path.Combine(Environment.CurrentDirectory, "command line"), parsed.GetValue(modelDirs) ?? []);
            using var checkpoint = Checkpoint.Open(ModelResolver.Resolve(new ModelReference(text, 1), places, "command line"));
            var plan = ConversionPlanner.Plan(
                text, checkpoint, parsed.GetValue(state), parsed.GetValue(dtype),
                parsed.GetValue(maxShard) ?? PlanRequest.DefaultMaxShardBytes);
            foreach (var warning in plan.Warnings)
                terminal.Warn(warning);
            foreach (var note in parsed.GetValue(state) ? checkpoint.StateNotes : checkpoint.Notes)
                terminal.Note(note);
            var progress = new RunProgress();
            var final = Path.TrimEndingDirectorySeparator(Path.GetFullPath(parsed.GetRequiredValue(output)));
            var summary = TerminalProgress.Run(
                terminal,
                "converting",
                plan.InputBytes + plan.OutputBytes,
                progress,
                () => MergeToFolder.Run(
                    plan,
                    final,
                    parsed.GetValue(force),
                    sha256: false,
                    MergeOptions.Settings(parsed.GetValue(threads), parsed.GetValue(memory)),
                    progress,
                    cancellation));
            foreach (var finding in summary.Findings)
                terminal.Warn(finding);
            var report = new RunReport(plan, progress, clock.Elapsed.TotalSeconds);
            report.Print(terminal);
            terminal.Line(summary.Output);
            if (terminal.IsJson)
            {
                terminal.Json(json =>
                {
                    json.WriteString("output", summary.Output);
                    report.Write(json);
                });
            }
            return Task.FromResult(0);
        });
        return command;
    }

    private static DType? TypeOf(string text, Action<string> error)
    {
        if (Types.FirstOrDefault(t => t.Name == text) is { Name: not null } known)
            return known.DType;
        string[] names = [.. Types.Select(t => t.Name)];
        error($"--dtype is '{text}': expected {string.Join(", ", names)}. {NearestMatch.Question(text, names)}".TrimEnd());
        return null;
    }
}
