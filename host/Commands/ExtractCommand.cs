using System.CommandLine;
using System.Globalization;
using Merge.Adapters;
using Merge.Checkpoints;
using Merge.Planning;
using Merge.Sdk;

namespace Merge.Commands;

/// <summary><c>merge extract MODEL BASE OUT</c>: a LoRA adapter of what a fine-tuned model changed.</summary>
internal static class ExtractCommand
{
    public static Command Create(Terminal terminal)
    {
        var model = Model("MODEL", "The fine-tuned model.");
        var theta0 = Model("BASE", "The model it was fine-tuned from.");
        var recipe = new CommandLineRecipe(terminal, "The adapter's folder.");
        var rank = new Option<int?>("--rank")
        {
            Description = "Largest rank of a module. Default 32, or none where --energy is given.",
            HelpName = "R",
            CustomParser = argument => Whole(argument.Tokens[0].Value, argument.AddError, "--rank"),
        };
        var energy = new Option<double?>("--energy")
        {
            Description = "Share of each module's squared change to keep, above 0, at most 1: the smallest rank that does.",
            HelpName = "E",
            CustomParser = argument =>
            {
                var text = argument.Tokens[0].Value;
                if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var share) && share is > 0 and <= 1)
                    return share;
                argument.AddError($"--energy is '{text}'; expected a number above 0, at most 1");
                return null;
            },
        };
        var patterns = new Option<string[]>("--module-rank")
        {
            Description = "The rank of some modules, as NAME=R; NAME as in PEFT's rank_pattern. May be repeated; the first that matches holds.",
            HelpName = "NAME=R",
        };
        var targets = new Option<string[]>("--target")
        {
            Description = "Modules to adapt, by full name or last part (q_proj). May be repeated. Default: every linear layer.",
            HelpName = "NAME",
        };
        var saved = new Option<string[]>("--save")
        {
            Description = "Modules to bring whole, as PEFT's modules_to_save: embed_tokens, lm_head. May be repeated.",
            HelpName = "NAME",
        };
        var fanInFanOut = new Option<bool>("--fan-in-fan-out")
        {
            Description = "Weights are stored [inputs, outputs], as GPT-2's are.",
        };
        var baseName = new Option<string?>("--base-name")
        {
            Description = "What the adapter's config calls the base. Default: BASE as it is given.",
            HelpName = "NAME",
        };
        var dtype = BakeCommand.DTypeOption("The dtype of the factors: float32 (default), bfloat16, float16.");
        var command = new Command("extract", "Make a LoRA adapter of the difference between two models, and say what it leaves out.")
        {
            model, theta0, recipe.Output, rank, energy, patterns, targets, saved, fanInFanOut, baseName, dtype, recipe.Force,
            recipe.Threads, recipe.Memory, recipe.ModelDirs,
        };
        command.Validators.Add(result =>
        {
            if (result.GetValue(model) is { Length: > 0 } fine && fine == result.GetValue(theta0))
                result.AddError("MODEL and BASE are the same: there is nothing to extract");
        });
        command.SetAction((parsed, cancellation) =>
        {
            var (fine, coarse) = (parsed.GetRequiredValue(model), parsed.GetRequiredValue(theta0));
            var text = $"""
                # merge extract {string.Join(' ', parsed.Tokens.Skip(1).Select(t => t.Value))}
                merge_method: task_arithmetic
                base_model: {CommandLineRecipe.Quoted(coarse)}
                models:
                  - model: {CommandLineRecipe.Quoted(fine)}
                    parameters: {"{weight: 1}"}

                """;
            var request = new ExtractionRequest(
                new RankChoice(parsed.GetValue(rank) ?? (parsed.GetValue(energy) is null ? 32 : null), parsed.GetValue(energy)),
                [.. (parsed.GetValue(patterns) ?? []).Select(Pattern)],
                parsed.GetValue(targets) ?? [],
                parsed.GetValue(saved) ?? [],
                parsed.GetValue(fanInFanOut),
                parsed.GetValue(dtype) switch { "bfloat16" => DType.BF16, "float16" => DType.F16, _ => DType.F32 },
                parsed.GetValue(baseName) ?? coarse);
            recipe.Run(parsed, text, cancellation, whole =>
            {
                var plan = Extraction.Of(whole, request, out var others, out var unlike);
                return plan with { Warnings = [.. plan.Warnings, .. LeftOut(others, unlike), .. Named(parsed.GetValue(baseName), coarse)] };
            }, OnMismatch.LeaveOut);
            return Task.FromResult(0);
        });
        return command;
    }

    /// <summary>What differs between the models and is in no part of the adapter.</summary>
    private static IEnumerable<Diagnostic> LeftOut(IReadOnlyList<TensorPlan> others, IReadOnlyList<string> unlike)
    {
        string[] differ = [.. unlike, .. others.Where(t => TensorDifference.Any(t.Models[0], t.Base!)).Select(t => t.Info.Name)];
        if (differ.Length == 0)
            yield break;
        yield return new Diagnostic(
            $"{differ.Length} tensor{(differ.Length == 1 ? " differs" : "s differ")} between the models that the adapter does not cover: "
            + $"{string.Join(", ", differ.Take(4))}{(differ.Length > 4 ? ", …" : "")}")
        {
            Severity = Severity.Warning,
            Where = "OUT",
            Fix = "Name those that matter with --save (modules brought whole) or --target.",
        };
    }

    /// <summary>A base that is put together while it is read has no name that PEFT could load.</summary>
    private static IEnumerable<Diagnostic> Named(string? given, string coarse)
    {
        if (given is null && coarse.Contains('+') && !Path.Exists(coarse))
        {
            yield return new Diagnostic($"the config calls the base '{coarse}', and no folder has these weights: PEFT cannot load it")
            {
                Severity = Severity.Warning,
                Where = "BASE",
                Fix = "Bake it (merge bake) and name what comes out with --base-name.",
            };
        }
    }

    private static (string Key, int Rank) Pattern(string given)
    {
        var at = given.LastIndexOf('=');
        if (at > 0 && int.TryParse(given[(at + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var rank) && rank >= 1
            && AdapterConfig.Matcher(given[..at]) is not null)
        {
            return (given[..at], rank);
        }
        throw new MergeException(new Diagnostic($"--module-rank is '{given}'")
        {
            Where = "command line",
            Expected = "NAME=R, such as q_proj=64",
        })
        { WrongUsage = true };
    }

    private static int? Whole(string text, Action<string> error, string option)
    {
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= 1)
            return number;
        error($"{option} is '{text}'; expected a whole number from 1");
        return null;
    }

    private static Argument<string> Model(string name, string description) => MergeOptions.NotEmpty(
        new Argument<string>(name) { Description = description + " A folder, a file, or a name in the Hugging Face cache." });
}
