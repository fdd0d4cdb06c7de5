using Merge.Reports.Sections;
using Merge.Sdk;

namespace Merge.Reports;

/// <summary>The report of a search or a soup: one HTML file that needs nothing else.</summary>
internal static class HtmlReport
{
    /// <summary>Writes it, over what is there.</summary>
    public static void Write(ReportData data, ILinearAlgebra algebra, string path) =>
        File.WriteAllText(path, Of(data, algebra));

    public static string Of(ReportData data, ILinearAlgebra algebra) => Page.Of($"{data.Title} – merge report", Markup.Lines(
        Summary.Of(data),
        Convergence.Of(data),
        Coefficients.Of(data),
        Ingredients.Of(data),
        Splits.Of(data),
        Distances.Of(data, algebra),
        Trials.Of(data),
        Failures.Of(data),
        Page.Section("recipe", "The recipe", data.Recipe.Length == 0 ? Markup.Empty : Markup.Of($"<pre>{data.Recipe}</pre>"))));
}
