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
            var path = PathOf(parsed.GetRequiredValue(checkpoint), dirs);
            if (parsed.GetValue(other) is not { } second)
            {
                PrintOne(terminal, path);
                return Task.FromResult(0);
            }
            using var opened = new OpenedModels();
            var (a, b) = Pair(opened, path, PathOf(second, dirs));
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

    private static void PrintOne(Terminal terminal, string path)
    {
        IReadOnlyList<Diagnostic> refused = [];
        if (Adapter.IsAt(path))
        {
            try
            {
                using var adapter = Adapter.Open(path);
                AdapterListing.Print(terminal, adapter);
                return;
            }
            catch (UnreadAdapterException unread)
            {
                // What no merge would take still has tensors to look at.
                (path, refused) = (unread.File, unread.Diagnostics);
            }
        }
        using var checkpoint = Checkpoint.Open(path);
        CheckpointListing.Print(terminal, checkpoint, refused);
    }

    /// <summary>Two checkpoints; two adapters as their changes, which factors that differ may have in common.</summary>
    private static (Checkpoint A, Checkpoint B) Pair(OpenedModels opened, string first, string second)
    {
        if (!Adapter.IsAt(first) || !Adapter.IsAt(second))
            return (opened.OpenFile(first), opened.OpenFile(second));
        var views = AdapterViews.Of([opened.OpenAdapter(first), opened.OpenAdapter(second)]);
        return (views.Models[0], views.Models[1]);
    }

    private static string PathOf(string text, IReadOnlyList<string> modelDirs)
    {
        // Resolved as in a recipe in the working directory; here the "recipe" is the command line.
        var places = ModelPlaces.Of(Path.Combine(Environment.CurrentDirectory, "command line"), modelDirs);
        return ModelResolver.Resolve(new ModelReference(text, 1), places, "command line");
    }
}
