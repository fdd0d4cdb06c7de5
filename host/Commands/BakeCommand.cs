using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using Merge.Planning;
using Merge.Recipes;

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
        var output = MergeOptions.NotEmpty(new Argument<string>("OUT")
        {
            Description = "The folder to make. Complete as soon as it has this name.",
        });
        var adapters = new Option<string[]>("--adapter")
        {
            Description = "An adapter of it, as NAME or NAME=WEIGHT: its change times the weight is added. May be repeated.",
            HelpName = "NAME[=WEIGHT]",
        };
        var dtype = DTypeOption("The dtype of the output: float32, bfloat16, float16. Default: the base's, rounded once.");
        var force = new Option<bool>("--force") { Description = "Replace OUT if an earlier merge made it." };
        var (modelDirs, plugins, maxShard) = (MergeOptions.ModelDirs(), MergeOptions.Plugins(), MergeOptions.MaxShard());
        var (threads, memory) = (MergeOptions.Threads(), MergeOptions.Memory());
        var command = new Command("bake", "Put LoRA adapters into their model: weights that need no adapter any more.")
        {
            theta0, output, adapters, dtype, force, threads, memory, modelDirs, plugins, maxShard,
        };
        command.SetAction((parsed, cancellation) =>
        {
            var clock = Stopwatch.StartNew();
            var text = Recipe(parsed.GetRequiredValue(theta0), parsed.GetValue(adapters) ?? [], parsed.GetValue(dtype));
            using var catalog = PluginOptions.Load(parsed, plugins);
            using var planner = new RecipePlanner(catalog, parsed.GetValue(modelDirs) ?? []);
            var plan = planner.Plan(
                RecipeParser.Parse(Path.Combine(Environment.CurrentDirectory, "command line"), text),
                parsed.GetValue(maxShard) ?? PlanRequest.DefaultMaxShardBytes);
            foreach (var warning in catalog.Warnings.Concat(plan.Warnings))
                terminal.Warn(warning);
            new SingleRun
            {
                Terminal = terminal,
                Plan = plan,
                Settings = MergeOptions.Settings(parsed.GetValue(threads), parsed.GetValue(memory)),
                Force = parsed.GetValue(force),
                Clock = clock,
            }.Execute(parsed.GetRequiredValue(output), cancellation);
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
        text.Append("  - model: ").AppendLine(GraftCommand.Quoted(theta0));
        if (adapters.Length > 0)
            text.AppendLine("    adapters:");
        foreach (var given in adapters)
        {
            // A name may hold '=' itself; what follows the last one is a weight only where it is a number.
            var at = given.LastIndexOf('=');
            var isWeighted = at > 0 && !Path.Exists(given) && double.TryParse(given[(at + 1)..], NumberStyles.Float, CultureInfo.InvariantCulture, out _);
            var (name, weight) = isWeighted ? (given[..at], given[(at + 1)..]) : (given, "1");
            text.AppendLine($"      - {{adapter: {GraftCommand.Quoted(name)}, weight: {weight}}}");
        }
        if (dtype is not null)
            text.AppendLine($"dtype: {dtype}");
        return text.ToString();
    }
}
