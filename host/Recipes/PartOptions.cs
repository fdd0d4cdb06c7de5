using Merge.Sdk;

namespace Merge.Recipes;

/// <summary>Binds the <c>options:</c> of an evaluator or a searcher: one value each, for no model or tensor.</summary>
internal static class PartOptions
{
    /// <param name="owner">Whose they are, in words: <c>the evaluator 'digits'</c>.</param>
    /// <param name="type">The options record.</param>
    /// <param name="given">What the recipe gives.</param>
    /// <param name="path">The recipe, for messages.</param>
    /// <param name="line">Where it names the owner.</param>
    /// <exception cref="MergeException">Everything that is wrong with them.</exception>
    public static BoundOptions Bind(string owner, Type type, RecipeParameters given, string path, int line)
    {
        var schema = OptionsSchema.Of(type);
        var findings = new RecipeFindings(path);
        var rules = new ParameterRules(findings);
        var names = schema.Parameters.Select(p => p.Name).ToArray();
        foreach (var unknown in given.Items.Where(g => !names.Contains(g.Name)))
        {
            findings.Error(unknown.Line, $"{owner} has no option {RecipeText.Quote(unknown.Name)}",
                names.Length == 0 ? "no options" : RecipeText.OneOf(names),
                NearestMatch.Question(unknown.Name, names));
        }
        BoundParameter[] bound =
            [.. schema.Parameters.Select(p => new BoundParameter(p, [Value(p, given.Find(p.Name))]))];
        findings.ThrowIfAny();
        return new(schema, bound);

        BoundValue Value(ParameterSchema parameter, RecipeParameter? item)
        {
            if (parameter.IsPerModel)
                throw MergeException.Plugin($"{owner} has an option per model: '{parameter.Name}'", "one value");
            if (item is null && parameter.Required)
                findings.Error(line, $"{owner} needs '{parameter.Name}'", parameter.Expected, "Give it below 'options:'.");
            if (item is null)
                return new(parameter.Default, null);
            if (item.Value is ParameterScalar || (parameter.IsArray && item.Value is ParameterList))
                return rules.Read(parameter, item)?.At("", 0) ?? new(parameter.Default, null);
            findings.Error(item.Line, $"'{item.Name}' is a list", parameter.Expected);
            return new(parameter.Default, null);
        }
    }
}
