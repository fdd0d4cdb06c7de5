using System.CommandLine;
using System.Globalization;
using System.Text;

namespace Merge.Commands;

/// <summary><c>merge bake BASE OUT --adapter A</c>: adapters put into their model, by a recipe made from the command line.</summary>
internal static class BakeCommand
{
    public static Command Create(Terminal terminal)
    {
        var theta0 = MergeOptions.NotEmpty(new Argument<string>("BASE")
        {
            Description = "The model, or base+adapter. A folder, a file, or a name in the Hugging Face cache.",
        });
        var recipe = new CommandLineRecipe(terminal, "The folder to make.");
        var adapters = new Option<string[]>("--adapter")
        {
            Description = "An adapter of it, as NAME or NAME=WEIGHT: its change times the weight is added. May be repeated.",
            HelpName = "NAME[=WEIGHT]",
        };
        var dtype = DTypeOption("The dtype of the output: float32, bfloat16, float16. Default: the base's, rounded once.");
        var command = new Command("bake", "Put LoRA adapters into their model: weights that need no adapter any more.")
        {
            theta0, recipe.Output, adapters, dtype, recipe.Force,
            recipe.Threads, recipe.Memory, recipe.ModelDirs, recipe.Plugins, recipe.MaxShard,
        };
        command.SetAction((parsed, cancellation) =>
        {
            var text = Recipe(parsed.GetRequiredValue(theta0), parsed.GetValue(adapters) ?? [], parsed.GetValue(dtype));
            recipe.Run(parsed, text, cancellation);
            return Task.FromResult(0);
        });
        return command;
    }

    public static Option<string?> DTypeOption(string description)
    {
        var option = new Option<string?>("--dtype") { Description = description, HelpName = "DTYPE" };
        option.AcceptOnlyFromAmong("float32", "bfloat16", "float16");
        return option;
    }

    private static string Recipe(string theta0, string[] adapters, string? dtype)
    {
        var text = new StringBuilder("merge_method: passthrough\nmodels:\n");
        text.Append("  - model: ").AppendLine(CommandLineRecipe.Quoted(theta0));
        if (adapters.Length > 0)
            text.AppendLine("    adapters:");
        foreach (var given in adapters)
        {
            // A name may hold '=' itself; what follows the last one is a weight only where it is a number.
            var at = given.LastIndexOf('=');
            var isWeighted = at > 0 && !Path.Exists(given) && double.TryParse(given[(at + 1)..], NumberStyles.Float, CultureInfo.InvariantCulture, out _);
            var (name, weight) = isWeighted ? (given[..at], given[(at + 1)..]) : (given, "1");
            text.AppendLine($"      - {{adapter: {CommandLineRecipe.Quoted(name)}, weight: {weight}}}");
        }
        if (dtype is not null)
            text.AppendLine($"dtype: {dtype}");
        return text.ToString();
    }
}
