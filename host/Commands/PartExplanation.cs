using System.Text.Json;
using Merge.Plugins;
using Merge.Recipes;

namespace Merge.Commands;

/// <summary>What <c>merge explain</c> says of a searcher or an evaluator.</summary>
/// <param name="Kind"><c>searcher</c> or <c>evaluator</c>.</param>
/// <param name="Use">How a recipe names it.</param>
internal sealed record PartExplanation(
    string Kind, string Id, string Name, string? Paper, string? Text, string Use, Type Options, PluginStatus Plugin)
{
    /// <summary>Those of this name; a method may have it, too.</summary>
    public static IReadOnlyList<PartExplanation> Of(PluginCatalog catalog, string name) =>
    [
        .. catalog.Searchers.Where(s => Is(s.Id, name)).Select(s => new PartExplanation(
            "searcher", s.Id, s.Info.Name, s.Info.Paper, s.Info.Text, $"search: {{searcher: {s.Id}}}", s.Searcher.OptionsType, s.Plugin)),
        .. catalog.Evaluators.Where(e => Is(e.Id, name)).Select(e => new PartExplanation(
            "evaluator", e.Id, e.Info.Name, null, e.Info.Text, $"evaluate: {{plugin: {e.Id}}}", e.Evaluator.OptionsType, e.Plugin)),
    ];

    /// <summary><c>-</c> and <c>_</c> are the same.</summary>
    public static bool Is(string id, string name) => id.Replace('_', '-') == name.Replace('_', '-');

    public void Print(Terminal terminal)
    {
        terminal.Line($"{Id}: {Name}{(Paper is null ? "" : $" ({Paper})")}, a{(Kind[0] == 'e' ? "n" : "")} {Kind}");
        if (Text is not null)
            terminal.Line($"  {Text}");
        terminal.Line();
        terminal.Line($"recipe  {Use}, options below 'options:'");
        terminal.Line($"plugin  {Plugin.Name} {Plugin.Version}");
        terminal.Line();
        ParameterListing.Print(terminal, OptionsSchema.Of(Options).Parameters, hasModels: false);
    }

    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject(Kind);
        json.WriteString("id", Id);
        json.WriteString("name", Name);
        json.WriteString("paper", Paper);
        json.WriteString("text", Text);
        ParameterListing.Write(json, OptionsSchema.Of(Options).Parameters);
        json.WriteEndObject();
    }
}
