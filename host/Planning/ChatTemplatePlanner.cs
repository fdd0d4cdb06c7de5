using Merge.Recipes;
using Merge.Sdk;
using Merge.Vocabulary;

namespace Merge.Planning;

/// <summary>The text a recipe's <c>chat_template</c> stands for.</summary>
internal static class ChatTemplatePlanner
{
    private const int ShortestTemplate = 20;

    /// <param name="recipe">The recipe.</param>
    /// <param name="models">All that take part, the donor first: of equally common templates the first is taken.</param>
    /// <param name="warnings">Where a warning goes.</param>
    /// <returns>The template, or null where the output keeps what comes with its tokenizer.</returns>
    /// <exception cref="MergeException">It is neither a name nor a template.</exception>
    public static string? Plan(Recipe recipe, IReadOnlyList<PlannedModel> models, List<Diagnostic> warnings)
    {
        if (recipe.ChatTemplate is not { } wanted)
            return null;
        var where = $"{recipe.Path}, line {wanted.Line}";
        if (wanted.Text == "auto")
        {
            var template = ChatTemplate.MostCommon(
                models.Select(m => m.Checkpoint.Folder is { } folder ? ChatTemplate.Read(folder) : null));
            if (template is null)
            {
                warnings.Add(new Diagnostic("no model has a chat template: the output has none either")
                {
                    Severity = Severity.Warning,
                    Where = where,
                });
            }
            return template;
        }
        if (KnownTemplates.Find(wanted.Text.Trim()) is { } known)
            return known;
        if (wanted.Text.Length >= ShortestTemplate && wanted.Text.Contains('{'))
            return wanted.Text;
        string[] names = ["auto", .. KnownTemplates.Names];
        throw new MergeException(new Diagnostic($"'chat_template' is {TokenText.Quote(wanted.Text)}")
        {
            Where = where,
            Expected = $"one of {string.Join(", ", names)}, or a Jinja template",
            Fix = NearestMatch.Question(wanted.Text, names),
        })
        {
            WrongUsage = true,
        };
    }
}
