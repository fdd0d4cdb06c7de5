using System.CommandLine;
using System.Globalization;
using System.Text;
namespace Merge.Commands;

/// <summary><c>merge graft BASE MODEL OUT</c>: Fast Fisher Grafting of one model, by a recipe made from the command line.</summary>
internal static class GraftCommand
{
    public static Command Create(Terminal terminal)
    {
        var (theta0, model) = (Model("BASE", "The model the other was fine-tuned from."), Model("MODEL", "The fine-tuned model."));
        var recipe = new CommandLineRecipe(terminal, "The folder to make.");
        var moments = new Option<string?>("--moments")
        {
            Description = "Second moments of MODEL (Adam's exp_avg_sq), a file or org/name/path/file in the Hugging Face cache. "
                + "Without: the largest edits are kept.",
            HelpName = "FILE",
        };
        var density = Density("Share of the edits to keep, the most salient. Default 0.1.");
        var threshold = Number("--threshold", "S", "Keep the edits whose saliency v (theta - theta_0)^2 is at least this.", 0, float.MaxValue);
        var wholeModel = new Option<bool>("--whole-model")
        {
            Description = "Count the density over the whole model, not in each tensor.",
        };
        var rank1 = new Option<bool>("--rank1") { Description = "Approximate second moments by their row and column sums." };
        var command = new Command("graft", "Put the edits of a fine-tuned model that matter most onto its base, and no others.")
        {
            theta0, model, recipe.Output, moments, density, threshold, wholeModel, rank1, recipe.Force,
            recipe.Threads, recipe.Memory, recipe.ModelDirs, recipe.Plugins, recipe.MaxShard,
        };
        command.Validators.Add(result =>
        {
            if (result.GetResult(density) is not null && result.GetResult(threshold) is not null)
                result.AddError("--density and --threshold both say what is kept: give one");
            if (result.GetValue(wholeModel) && result.GetResult(density) is null)
                result.AddError("--whole-model says what --density counts, and there is none");
            if (result.GetResult(moments) is null && result.GetResult(threshold) is not null)
                result.AddError("--threshold is of second moments: give them with --moments");
        });
        command.SetAction((parsed, cancellation) =>
        {
            var text = Recipe(
                parsed.GetRequiredValue(theta0),
                parsed.GetRequiredValue(model),
                parsed.GetValue(moments),
                ("density", parsed.GetValue(density) is { } share ? Text(share) : null),
                ("precond_threshold", parsed.GetValue(threshold) is { } lowest ? Text(lowest) : null),
                ("density_scope", parsed.GetValue(wholeModel) ? "model" : null),
                ("rank1_approx", parsed.GetValue(rank1) ? "true" : null));
            recipe.Run(parsed, text, cancellation);
            return Task.FromResult(0);
        });
        return command;
    }

    /// <summary><c>--density</c>: above 0, at most 1.</summary>
    public static Option<double?> Density(string description) => Number("--density", "D", description, double.Epsilon, 1);

    private static Argument<string> Model(string name, string description) => MergeOptions.NotEmpty(
        new Argument<string>(name) { Description = description + " A folder, a file, or a name in the Hugging Face cache." });

    private static Option<double?> Number(string name, string help, string description, double low, double high) => new(name)
    {
        Description = description,
        HelpName = help,
        CustomParser = argument =>
        {
            var text = argument.Tokens[0].Value;
            if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && value >= low && value <= high)
                return value;
            argument.AddError(
                $"{name} is '{text}'; expected a number {(high == 1 ? "above 0, at most 1" : "from 0 up, such as 2.6e-19")}");
            return null;
        },
    };

    private static string Text(double value) => value.ToString("R", CultureInfo.InvariantCulture);

    private static string Recipe(
        string theta0, string model, string? moments, params (string Name, string? Value)[] parameters)
    {
        var text = new StringBuilder("merge_method: ffg\n");
        text.Append("base_model: ").AppendLine(CommandLineRecipe.Quoted(theta0));
        text.AppendLine("models:");
        text.Append("  - model: ").AppendLine(CommandLineRecipe.Quoted(model));
        if (moments is not null)
            text.AppendLine("    parameters:").Append("      preconditioner_path: ").AppendLine(CommandLineRecipe.Quoted(moments));
        (string Name, string? Value)[] given = [.. parameters.Where(p => p.Value is not null)];
        if (given.Length > 0)
            text.AppendLine("parameters:");
        foreach (var (name, value) in given)
            text.AppendLine($"  {name}: {value}");
        return text.ToString();
    }
}
