using Merge.Merging;
using Merge.Merging.LowRank;
using Merge.Planning;
using Merge.Recipes;
using Merge.Sdk;

namespace Merge.Commands;

/// <summary>
/// The plans of all merges of a recipe before any of them runs. What one uses of another is known from that one's plan:
/// a sketch of its folder, with headers and no values, stands in for it.
/// </summary>
internal sealed class StagePlans : IDisposable
{
    private readonly string? _sketches;
    private readonly List<RecipePlanner> _planners = [];
    private readonly List<MergePlan> _plans = [];

    private StagePlans(bool hasStages) =>
        _sketches = hasStages ? Directory.CreateTempSubdirectory("merge-plan-").FullName : null;

    /// <summary>In the order they run.</summary>
    public IReadOnlyList<MergePlan> All => _plans;

    /// <param name="recipe">The merges.</param>
    /// <param name="planner">Makes a planner that finds merges by their names in these folders.</param>
    /// <param name="maxShardBytes">Largest output file.</param>
    /// <exception cref="MergeException">What is wrong with any of them.</exception>
    public static StagePlans Of(
        StagedRecipe recipe, Func<IReadOnlyDictionary<string, string>, RecipePlanner> planner, long maxShardBytes)
    {
        var plans = new StagePlans(recipe.Stages.Count > 0);
        try
        {
            plans.Plan(recipe, planner, maxShardBytes);
            return plans;
        }
        catch
        {
            plans.Dispose();
            throw;
        }
    }

    /// <summary>A path as a user understands it: in a sketch it is part of the merge of that name.</summary>
    public string Named(string text) => _sketches is null
        ? text : text.Replace(_sketches + Path.DirectorySeparatorChar, "the merge ");

    public void Dispose()
    {
        foreach (var planner in _planners)
            planner.Dispose();
        if (_sketches is not null)
            Directory.Delete(_sketches, recursive: true);
    }

    private void Plan(
        StagedRecipe recipe, Func<IReadOnlyDictionary<string, string>, RecipePlanner> planner, long maxShardBytes)
    {
        var problems = new List<Diagnostic>();
        var faults = new List<MergeException>();
        var folders = recipe.Names.ToDictionary(n => n, n => Path.Combine(_sketches!, n));
        foreach (var merge in recipe.All)
        {
            if (StagedRecipe.Uses(merge, recipe.Names).FirstOrDefault(u => !Directory.Exists(folders[u.Text])) is { } missing)
            {
                problems.Add(new Diagnostic(
                    $"{RecipeText.Quote(missing.Text)} is wrong itself: the merge that uses it is not checked any further")
                {
                    Severity = Severity.Warning,
                    Where = $"{merge.Path}, line {missing.Line}",
                });
                continue;
            }
            try
            {
                _planners.Add(planner(folders));
                var plan = _planners[^1].Plan(merge, maxShardBytes);
                AdapterChecks.Check(plan);
                _plans.Add(plan with { Warnings = [.. plan.Warnings.Select(Named)] });
                if (merge.Name is { } name)
                    MergeToFolder.Sketch(plan, folders[name.Text]);
            }
            catch (MergeException fault)
            {
                faults.Add(fault);
                problems.AddRange(fault.Diagnostics.Select(Named));
            }
        }
        if (faults.Count > 0)
            throw new MergeException(problems, faults[0]) { WrongUsage = faults.All(f => f.WrongUsage) };
    }

    private Diagnostic Named(Diagnostic diagnostic) => diagnostic with
    {
        Found = Named(diagnostic.Found),
        Where = diagnostic.Where is null ? null : Named(diagnostic.Where),
        Expected = diagnostic.Expected is null ? null : Named(diagnostic.Expected),
        Fix = diagnostic.Fix is null ? null : Named(diagnostic.Fix),
    };
}
