using Merge.Recipes;
using Merge.Sdk;

namespace Host.Tests.Recipes;

internal static class Expect
{
    /// <summary>The messages of what must fail, which is the user's to put right.</summary>
    public static IReadOnlyList<string> Errors(Action action)
    {
        var exception = Assert.Throws<MergeException>(action);
        Assert.True(exception.WrongUsage);
        Assert.All(exception.Diagnostics, d => Assert.Equal((Severity.Error, Actor.User), (d.Severity, d.Actor)));
        return [.. exception.Diagnostics.Select(d => d.ToString())];
    }

    /// <summary>The only message of a recipe that must fail.</summary>
    public static string Error(string recipe) => Assert.Single(Errors(() => RecipeParser.Parse("r.yaml", recipe)));

}
