using System.CommandLine;
using System.Globalization;
using Merge.Checkpoints;
using Merge.Merging;
using Merge.Planning;
using Merge.Sdk;

namespace Merge.Commands;

/// <summary>What several verbs understand alike.</summary>
internal static class MergeOptions
{
    public static Argument<string> Recipe() => NotEmpty(new Argument<string>("RECIPE") { Description = "The recipe, a YAML file." });

    /// <summary>A path that is the empty string would mean the working directory, or nothing.</summary>
    public static T NotEmpty<T>(T argument)
        where T : Argument
    {
        argument.Validators.Add(result =>
        {
            if (result.Tokens.Any(t => t.Value.Length == 0))
                result.AddError($"{argument.Name} is empty");
        });
        return argument;
    }

    public static Option<string?> NotEmpty(Option<string?> option)
    {
        option.Validators.Add(result =>
        {
            if (result.Tokens.Any(t => t.Value.Length == 0))
                result.AddError($"{option.Name} is given an empty name");
        });
        return option;
    }

    private static Option<string[]> Folders(Option<string[]> option)
    {
        option.Validators.Add(result =>
        {
            if (result.Tokens.Any(t => t.Value.Length == 0))
                result.AddError($"{option.Name} is given an empty name");
        });
        return option;
    }

    public static Option<string[]> ModelDirs() => Folders(new("--model-dir")
    {
        Description = "Look for models here too, after the recipe's folder and the working directory. May be repeated.",
        HelpName = "FOLDER",
    });

    public static Option<string[]> Plugins() => Folders(new("--plugin-path", "--plugins")
    {
        Description = "Look for plugins here too: a plugin folder, or a folder of them. May be repeated.",
        HelpName = "FOLDER",
    });

    public static Option<long?> MaxShard() => new("--max-shard")
    {
        Description = $"Largest output file. Default {DiskSpace.Text(PlanRequest.DefaultMaxShardBytes)}, as Hugging Face's own.",
        HelpName = "SIZE",
        CustomParser = ByteSize.Parse,
    };

    public static Option<int?> Threads() => new("--threads")
    {
        Description = $"Worker threads. Default {Environment.ProcessorCount}, one a processor. Never changes the result.",
        HelpName = "N",
        CustomParser = argument =>
        {
            var text = argument.Tokens[0].Value;
            if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var threads)
                && threads is >= 1 and <= 1024)
            {
                return threads;
            }
            argument.AddError($"--threads is '{text}'; expected a whole number from 1 to 1024");
            return null;
        },
    };

    public static Option<long?> Memory() => new("--memory")
    {
        Description = $"Memory for buffers and held statistics. Default {DiskSpace.Text(RunSettings.DefaultMemory)}, or what a decomposition needs. "
            + "Never changes the result.",
        HelpName = "SIZE",
        CustomParser = ByteSize.Parse,
    };

    public static Option<OnMismatch[]> Mismatch()
    {
        var option = new Option<OnMismatch[]>("--on-mismatch")
        {
            Description = "What to do where a tensor's shape is not the same in all models: error (the default), "
                + "skip-model (leave the model out of that tensor) or crop-embeddings (merge only the rows all have). "
                + "May be repeated.",
            HelpName = "WHAT",
            CustomParser = result => [.. result.Tokens.Select(token => Policy(token.Value, result.AddError))],
        };
        option.CompletionSources.Add([.. Policies.Select(p => p.Name)]);
        return option;
    }

    private static readonly (string Name, OnMismatch Policy)[] Policies =
    [
        ("error", OnMismatch.Error), ("skip-model", OnMismatch.SkipModel), ("crop-embeddings", OnMismatch.CropEmbeddings),
    ];

    private static OnMismatch Policy(string text, Action<string> error)
    {
        if (Policies.FirstOrDefault(p => p.Name == text) is { Name: not null } known)
            return known.Policy;
        string[] names = [.. Policies.Select(p => p.Name)];
        error($"--on-mismatch is '{text}': expected {string.Join(", ", names)}. {NearestMatch.Question(text, names)}".TrimEnd());
        return OnMismatch.Error;
    }

    /// <summary>A whole number within bounds.</summary>
    public static Option<int?> Count(string name, string description, int least, int most) => new(name)
    {
        Description = description,
        HelpName = "N",
        CustomParser = argument =>
        {
            var text = argument.Tokens[0].Value;
            if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count >= least && count <= most)
                return count;
            argument.AddError($"{name} is '{text}'; expected a whole number from {least} to {most}");
            return null;
        },
    };

    /// <summary>Of a search: unless told otherwise a quarter of the machine's memory, so that checkpoints can stay in it.</summary>
    public static RunSettings SearchSettings(int? threads, long? memory) => Settings(threads, memory) with
    {
        Memory = memory ?? Math.Max(RunSettings.DefaultMemory, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 4),
    };

    public static RunSettings Settings(int? threads, long? memory) => new()
    {
        Threads = threads ?? Environment.ProcessorCount,
        Memory = memory ?? RunSettings.DefaultMemory,
        MayGrow = memory is null,
    };
}
