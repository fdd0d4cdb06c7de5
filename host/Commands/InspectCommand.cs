using System.CommandLine;
using Merge.Adapters;
using Merge.Checkpoints;
using Merge.Merging;
using Merge.Planning;
using Merge.Recipes;
using Merge.Sdk;

namespace Merge.Commands;

/// <summary><c>merge inspect CHECKPOINT [OTHER]</c>: what a checkpoint holds, or how two differ.</summary>
internal static class InspectCommand
{
    public static Command Create(Terminal terminal)
    {
        var checkpoint = MergeOptions.NotEmpty(new Argument<string>("CHECKPOINT")
        {
            Description = "A model or adapter folder, a safetensors or PyTorch file, an index, or a model in the Hugging Face cache (org/name).",
        });
        var other = new Argument<string?>("OTHER")
        {
            Description = "A second checkpoint to compare it with.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var modelDirs = MergeOptions.ModelDirs();
        var (threads, memory) = (MergeOptions.Threads(), MergeOptions.Memory());
        var command = new Command("inspect", "Show a checkpoint's tensors, or compare two: norms and cosine of every tensor.")
        {
            checkpoint, other, modelDirs, threads, memory,
        };
        command.SetAction((parsed, cancellation) =>
        {
            var dirs = parsed.GetValue(modelDirs) ?? [];
            if (parsed.GetValue(other) is null && Adapter.IsAt(PathOf(parsed.GetRequiredValue(checkpoint), dirs)))
            {
                using var adapter = Adapter.Open(PathOf(parsed.GetRequiredValue(checkpoint), dirs));
                AdapterListing.Print(terminal, adapter);
                return Task.FromResult(0);
            }
            using var a = Open(parsed.GetRequiredValue(checkpoint), dirs);
            if (parsed.GetValue(other) is not { } second)
            {
                CheckpointListing.Print(terminal, a);
                return Task.FromResult(0);
            }
            using var b = Open(second, dirs);
            var progress = new RunProgress();
            var total = new[] { a, b }.Sum(c => c.Tensors.Values.Sum(t => t.Length));
            var comparison = TerminalProgress.Run(
                terminal,
                "comparing",
                total,
                progress,
                () => CheckpointComparison.Of(
                    a, b, MergeOptions.Settings(parsed.GetValue(threads), parsed.GetValue(memory)), progress, cancellation));
            ComparisonListing.Print(terminal, a, b, comparison);
            return Task.FromResult(0);
        });
        return command;
    }

    private static Checkpoint Open(string text, IReadOnlyList<string> modelDirs) => Checkpoint.Open(PathOf(text, modelDirs));

    private static string PathOf(string text, IReadOnlyList<string> modelDirs)
    {
        // Resolved as in a recipe in the working directory; here the "recipe" is the command line.
        var places = ModelPlaces.Of(Path.Combine(Environment.CurrentDirectory, "command line"), modelDirs);
        return ModelResolver.Resolve(new ModelReference(text, 1), places, "command line");
    }
}
