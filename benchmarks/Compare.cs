using System.CommandLine;

namespace Merge.Benchmarks;

/// <summary><c>compare</c>: merging against copying the same bytes, in turn, in one run.</summary>
internal static class Compare
{
    public static Command Command()
    {
        var recipe = new Option<string>("--recipe") { Description = "What to merge.", Required = true };
        var inputs = new Option<string[]>("--inputs")
        {
            Description = "The checkpoints that the recipe names: what the floor reads.",
            Required = true,
            AllowMultipleArgumentsPerToken = true,
        };
        var output = new Option<string>("--out")
        {
            Description = "Folder for the merge's output; the floor writes beside it. Both are deleted.",
            Required = true,
        };
        var pairs = new Option<int>("--pairs") { Description = "Pairs of runs.", DefaultValueFactory = _ => 5 };
        var merge = new Option<string>("--merge")
        {
            Description = "The merge program; default: artifacts/merge/merge here or in a folder above.",
        };
        var threads = new Option<int>("--floor-threads") { DefaultValueFactory = _ => 1 };
        var sync = new Option<bool>("--sync") { Description = "The floor waits for the disk, as merging does." };
        var more = new Argument<string[]>("ARGUMENTS") { Description = "Further arguments of merge run, after --." };
        var command = new Command("compare", "Times merging and copying the same bytes, in turn.")
        {
            recipe, inputs, output, pairs, merge, threads, sync, more,
        };
        command.SetAction(parse => new Comparison(
            parse.GetValue(merge) ?? FindMerge(),
            [
                "run", parse.GetRequiredValue(recipe), parse.GetRequiredValue(output), "--force",
                .. parse.GetValue(more) ?? [],
            ],
            Copying.Files(parse.GetRequiredValue(inputs)),
            parse.GetRequiredValue(output),
            parse.GetValue(threads),
            parse.GetValue(sync)).Run(parse.GetValue(pairs)));
        return command;
    }

    private static string FindMerge()
    {
        for (var folder = new DirectoryInfo(Environment.CurrentDirectory); folder is not null; folder = folder.Parent)
            if (Path.Combine(folder.FullName, "artifacts", "merge", "merge") is var merge && File.Exists(merge))
                return merge;
        throw new FileNotFoundException("No artifacts/merge/merge here or above: build first, or give --merge.");
    }
}
