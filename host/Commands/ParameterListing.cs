using System.Text.Json;
using Merge.Recipes;

namespace Merge.Commands;

/// <summary>The parameters of a method, or the options of a searcher or an evaluator.</summary>
internal static class ParameterListing
{
    /// <param name="terminal">Where they are printed.</param>
    /// <param name="parameters">Of whom.</param>
    /// <param name="hasModels">Whether a parameter may have a value per model.</param>
    public static void Print(Terminal terminal, IReadOnlyList<ParameterSchema> parameters, bool hasModels)
    {
        if (parameters.Count == 0)
        {
            terminal.Line(hasModels ? "no parameters" : "no options");
            return;
        }
        var table = hasModels
            ? new TerminalTable("parameter", "a value", "default", "takes", "what it is")
            : new TerminalTable("option", "default", "takes", "what it is");
        foreach (var parameter in parameters)
        {
            table.Add(
            [
                parameter.Name,
                .. hasModels ? [parameter.IsPerModel ? "per model" : "for all"] : Array.Empty<string>(),
                parameter.Required ? "required" : ValueText.Of(parameter.Default),
                (parameter.IsArray ? "a list, each " : "") + ParameterText.Expected(parameter.ScalarType, parameter.Bounds),
                parameter.Text + (parameter.Searchable is { } s ? $"; a search looks from {s.Low:G} to {s.High:G}" : ""),
            ]);
        }
        table.Write(terminal);
    }

    public static void Write(Utf8JsonWriter json, IReadOnlyList<ParameterSchema> parameters)
    {
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
    }
}
