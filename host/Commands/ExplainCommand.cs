using System.CommandLine;
using System.Text.Json;
using Merge.Recipes;
using Merge.Plugins;
using Merge.Sdk;

namespace Merge.Commands;

/// <summary><c>merge explain NAME</c>: what a method, a searcher or an evaluator does, and its parameters.</summary>
internal static class ExplainCommand
{
    public static Command Create(Terminal terminal)
    {
        var method = new Argument<string>("NAME") { Description = "A merge method, a searcher or an evaluator; merge plugins lists them." };
        var plugins = MergeOptions.Plugins();
        var command = new Command("explain", "Print a method's formula, paper, and parameters with their bounds and defaults; or a searcher's or evaluator's options.")
        {
            method, plugins,
        };
        command.SetAction(parsed =>
        {
            using var catalog = PluginOptions.Load(parsed, terminal, plugins);
            var name = parsed.GetRequiredValue(method);
            var parts = PartExplanation.Of(catalog, name);
            var isMethod = catalog.Methods.Any(m => PartExplanation.Is(m.Id, name));
            if (!isMethod && parts.Count == 0)
                throw catalog.Missing(name);
            if (terminal.IsJson)
            {
                terminal.Json(json =>
                {
                    if (isMethod)
                        Write(json, catalog.Find(name));
                    foreach (var part in parts)
                        part.Write(json);
                });
                return 0;
            }
            if (isMethod)
                Print(terminal, catalog.Find(name));
            foreach (var (index, part) in parts.Index())
            {
                if (isMethod || index > 0)
                    terminal.Line();
                part.Print(terminal);
            }
            return 0;
        });
        return command;
    }

    private static void Print(Terminal terminal, StrategyEntry entry)
    {
        var parameters = OptionsSchema.Of(entry.Strategy.OptionsType).Parameters;
        var info = entry.Info;
        terminal.Line($"{info.Id}: {info.Name}{(info.Paper is null ? "" : $" ({info.Paper})")}");
        if (info.Formula is not null)
            terminal.Line($"  {info.Formula}");
        terminal.Line();
        terminal.Line($"models  {Count(info)}");
        terminal.Line($"base    {BaseText(info.Base)}");
        terminal.Line($"plugin  {entry.Plugin.Name} {entry.Plugin.Version}");
        terminal.Line();
        ParameterListing.Print(terminal, parameters, hasModels: true);
    }

    private static string Count(StrategyInfo info) =>
        info.MaxModels == info.MinModels ? $"{info.MinModels}"
        : info.MaxModels == int.MaxValue ? $"{info.MinModels} or more"
        : $"{info.MinModels} to {info.MaxModels}";

    private static string BaseText(InputRole role) => role switch
    {
        InputRole.Required => "required; not one of the models",
        InputRole.Optional => "used when given; then not one of the models",
        InputRole.Member => "used when given, as one of the models",
        _ => "not used; one that is given lends config, tokenizer and dtypes",
    };

    private static void Write(Utf8JsonWriter json, StrategyEntry entry)
    {
        json.WriteString("method", entry.Id);
        json.WriteString("name", entry.Info.Name);
        json.WriteString("paper", entry.Info.Paper);
        json.WriteString("formula", entry.Info.Formula);
        json.WriteString("base", entry.Info.Base.ToString().ToLowerInvariant());
        json.WriteNumber("min_models", entry.Info.MinModels);
        if (entry.Info.MaxModels != int.MaxValue)
            json.WriteNumber("max_models", entry.Info.MaxModels);
        ParameterListing.Write(json, OptionsSchema.Of(entry.Strategy.OptionsType).Parameters);
    }
}
