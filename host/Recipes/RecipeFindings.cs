using Merge.Sdk;

namespace Merge.Recipes;

/// <summary>Collects what is wrong with a recipe, so that all of it is told at once.</summary>
internal sealed class RecipeFindings(string path)
{
    private readonly List<Diagnostic> _errors = [];
    private readonly List<Diagnostic> _warnings = [];

    public IReadOnlyList<Diagnostic> Warnings => _warnings;

    public bool HasErrors => _errors.Count > 0;

    public void Error(int line, string found, string? expected = null, string? fix = null) =>
        _errors.Add(At(line, found, expected, fix));

    public void Warn(int line, string found, string? fix = null, string? expected = null) =>
        _warnings.Add(At(line, found, expected, fix) with { Severity = Severity.Warning });

    public void AddErrors(MergeException exception) => _errors.AddRange(exception.Diagnostics);

    /// <exception cref="MergeException">Something is wrong: all of it.</exception>
    public void ThrowIfAny()
    {
        if (HasErrors)
            throw new MergeException(_errors) { WrongUsage = true };
    }

    /// <summary>The one error that ends the reading.</summary>
    public static MergeException Fatal(string path, string place, string found, string? expected, string? fix = null) =>
        new(new Diagnostic(found)
        {
            Where = place.Length == 0 ? path : $"{path}, {place}",
            Expected = expected,
            Fix = fix,
        })
        {
            WrongUsage = true,
        };

    private Diagnostic At(int line, string found, string? expected, string? fix) =>
        new(found) { Where = $"{path}, line {line}", Expected = expected, Fix = fix };
}
