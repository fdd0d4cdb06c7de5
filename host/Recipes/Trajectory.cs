using System.IO.Enumeration;
using System.Numerics;
using Merge.Sdk;

namespace Merge.Recipes;

/// <summary>The checkpoints of one run, found by a pattern and ordered by the step in their names.</summary>
internal static class Trajectory
{
    /// <summary>The full paths the pattern stands for, oldest first, after its window.</summary>
    /// <exception cref="MergeException">Nothing matches, or the steps do not give an order.</exception>
    public static IReadOnlyList<string> Expand(RecipeModel model, ModelPlaces places, string recipePath)
    {
        var looked = places.Candidates(model.Model.Text);
        var matches = looked.Select(Matches).FirstOrDefault(m => m.Count > 0)
            ?? throw Stop(model, recipePath, $"{Name(model)} matches nothing; looked for {string.Join(", ", looked)}",
                null);

        var steps = new SortedDictionary<BigInteger, string>();
        foreach (var (path, matched) in matches)
        {
            if (Step(matched) is not { } step)
            {
                throw Stop(model, recipePath, $"{Name(model)} matches {path}, whose name has no step",
                    "a pattern whose matches all end in a number, such as 'checkpoint-*'");
            }
            if (!steps.TryAdd(step, path))
                throw Stop(model, recipePath, $"{steps[step]} and {path} are both of step {step}",
                    "one checkpoint a step");
        }
        var newestFirst = steps.Values.Reverse().Take(model.Window.Last ?? int.MaxValue)
            .Where((_, age) => age % (model.Window.Every ?? 1) == 0);
        return [.. newestFirst.Reverse()];
    }

    /// <summary>Whether a pattern stands for anything.</summary>
    public static bool Any(string pattern, ModelPlaces places) => places.Candidates(pattern).Any(p => Matches(p).Count > 0);

    // Walks the pattern part by part; Matched is the name that stood for the last part with a wildcard.
    private static List<(string Path, string Matched)> Matches(string pattern)
    {
        var root = Path.GetPathRoot(pattern)!;
        List<(string Path, string Matched)> found = [(root, "")];
        foreach (var part in pattern[root.Length..].Split(Path.DirectorySeparatorChar))
        {
            found = part.AsSpan().ContainsAny('*', '?')
                ? [.. found.SelectMany(f => Entries(f.Path, part)).Select(path => (path, Path.GetFileName(path)))]
                : [.. found.Select(f => (Path.Combine(f.Path, part), f.Matched)).Where(f => Path.Exists(f.Item1))];
        }
        return found;
    }

    private static IEnumerable<string> Entries(string folder, string pattern) => Directory.Exists(folder)
        ? Directory.EnumerateFileSystemEntries(folder, "*", new EnumerationOptions { IgnoreInaccessible = true })
            .Where(path => FileSystemName.MatchesSimpleExpression(pattern, Path.GetFileName(path), ignoreCase: false))
        : [];

    /// <summary>The last run of digits: 'epoch=3-step=1000' is of step 1000.</summary>
    public static BigInteger? Step(string name)
    {
        var end = name.AsSpan().LastIndexOfAnyInRange('0', '9') + 1;
        var start = name.AsSpan(0, end).LastIndexOfAnyExceptInRange('0', '9') + 1;
        return end == 0 ? null : BigInteger.Parse(name.AsSpan(start, end - start));
    }

    private static string Name(RecipeModel model) => RecipeText.Quote(model.Model.Text);

    private static MergeException Stop(RecipeModel model, string recipePath, string found, string? expected) =>
        new(new Diagnostic(found) { Where = $"{recipePath}, line {model.Model.Line}", Expected = expected })
        {
            WrongUsage = true,
        };
}
