using System.CommandLine;
using Merge.Plugins;
using Merge.Recipes;
using Merge.Sdk;

namespace Merge.Commands;

/// <summary><c>merge explain METHOD</c>: formula, paper, models and parameters of a method.</summary>
internal static class ExplainCommand
{
    public static Command Create(Terminal terminal)
    {
        var method = new Argument<string>("METHOD") { Description = "A merge method; merge plugins lists them." };
        var plugins = MergeOptions.Plugins();
        var command = new Command("explain", "Print a method's formula, paper, and parameters with their bounds and defaults.")
        {
            method, plugins,
        };
        command.SetAction(parsed =>
        {
            using var catalog = PluginCatalog.Load(PluginFolders.Default(parsed.GetValue(plugins) ?? []));
            var entry = catalog.Find(parsed.GetRequiredValue(method));
            var parameters = OptionsSchema.Of(entry.Strategy.OptionsType).Parameters;
            if (terminal.IsJson)
                PrintJson(terminal, entry, parameters);
            else
                Print(terminal, entry, parameters);
            return 0;
        });
        return command;
    }

    private static void Print(Terminal terminal, StrategyEntry entry, IReadOnlyList<ParameterSchema> parameters)
    {
        var info = entry.Info;
        terminal.Line($"{info.Id}: {info.Name}{(info.Paper is null ? "" : $" ({info.Paper})")}");
        if (info.Formula is not null)
            terminal.Line($"  {info.Formula}");
        terminal.Line();
        terminal.Line($"models  {Count(info)}");
        terminal.Line($"base    {BaseText(info.Base)}");
        terminal.Line($"plugin  {entry.Plugin.Name} {entry.Plugin.Version}");
        terminal.Line();
        if (parameters.Count == 0)
        {
            terminal.Line("no parameters");
            return;
        }
        var table = new TerminalTable("parameter", "a value", "default", "takes", "what it is");
        foreach (var parameter in parameters)
        {
            table.Add(
                parameter.Name,
                parameter.IsPerModel ? "per model" : "for all",
                parameter.Required ? "required" : ValueText.Of(parameter.Default),
                (parameter.IsArray ? "a list, each " : "") + ParameterText.Expected(parameter.ScalarType, parameter.Bounds),
                parameter.Text + (parameter.Searchable is { } s ? $"; a search looks from {s.Low:G} to {s.High:G}" : ""));
        }
        table.Write(terminal);
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

    private static void PrintJson(Terminal terminal, StrategyEntry entry, IReadOnlyList<ParameterSchema> parameters) =>
        terminal.Json(json =>
        {
            json.WriteString("method", entry.Id);
            json.WriteString("name", entry.Info.Name);
            json.WriteString("paper", entry.Info.Paper);
            json.WriteString("formula", entry.Info.Formula);
            json.WriteString("base", entry.Info.Base.ToString().ToLowerInvariant());
            json.WriteNumber("min_models", entry.Info.MinModels);
            if (entry.Info.MaxModels != int.MaxValue)
                json.WriteNumber("max_models", entry.Info.MaxModels);
            json.WriteStartArray("parameters");
            foreach (var parameter in parameters)
            {
                json.WriteStartObject();
                json.WriteString("name", parameter.Name);
                json.WriteString("text", parameter.Text);
                json.WriteBoolean("per_model", parameter.IsPerModel);
                json.WriteBoolean("required", parameter.Required);
                json.WriteString("bounds", parameter.Bounds?.Text);
                if (!parameter.Required)
                    json.WriteString("default", ValueText.Of(parameter.Default));
                if (parameter.ScalarType.IsEnum)
                {
                    json.WriteStartArray("choices");
                    foreach (var choice in ParameterText.EnumNames(parameter.ScalarType))
                        json.WriteStringValue(choice);
                    json.WriteEndArray();
                }
                if (parameter.Searchable is { } search)
                {
                    json.WriteStartArray("search");
                    json.WriteNumberValue(search.Low);
                    json.WriteNumberValue(search.High);
                    json.WriteEndArray();
                }
                json.WriteEndObject();
            }
            json.WriteEndArray();
        });
}
