using Merge.Sdk;

namespace Merge.Recipes;

/// <summary>A recipe whose models are found.</summary>
/// <param name="Recipe">The recipe, each trajectory expanded to its checkpoints.</param>
/// <param name="Models">One for each of the recipe's models.</param>
internal sealed record ResolvedRecipe(Recipe Recipe, IReadOnlyList<ResolvedModel> Models, ResolvedModel? Base)
{
    /// <summary>Finds all models.</summary>
    /// <exception cref="MergeException">Every model that is not found.</exception>
    public static ResolvedRecipe Of(Recipe recipe, ModelPlaces places)
    {
        var findings = new RecipeFindings(recipe.Path);
        var models = new List<ResolvedModel>();
        ResolvedModel? baseModel = null;
        foreach (var model in recipe.Models)
            Collect(findings, model.Model.Line, () => models.AddRange(Resolve(model, places, recipe.Path)));
        if (recipe.BaseModel is { } reference)
        {
            Collect(findings, reference.Line, () => baseModel = new(new(reference, RecipeParameters.None),
                ModelResolver.Resolve(reference, places, recipe.Path)));
        }
        findings.ThrowIfAny();
        return new(recipe with { Models = [.. models.Select(m => m.Model)] }, models, baseModel);
    }

    /// <summary>The models a method merges, given what it does with a base.</summary>
    public IReadOnlyList<ResolvedModel> ModelsFor(InputRole role)
    {
        if (Base is null || role is InputRole.Unused)
            return Models;
        var others = Models.Where(m => m.Path != Base.Path);
        return role is InputRole.Member
            ? [Models.FirstOrDefault(m => m.Path == Base.Path) ?? Base, .. others]
            : [.. others];
    }

    private static IEnumerable<ResolvedModel> Resolve(RecipeModel model, ModelPlaces places, string recipePath)
    {
        if (!model.Model.IsTrajectory)
            return [new(model, ModelResolver.Resolve(model.Model, places, recipePath))];
        return Trajectory.Expand(model, places, recipePath)
            .Select(path => new ResolvedModel(new(new(path, model.Model.Line), model.Parameters), path));
    }

    private static void Collect(RecipeFindings findings, int line, Action resolve)
    {
        try
        {
            resolve();
        }
        catch (MergeException exception)
        {
            findings.AddErrors(exception);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            findings.Error(line, $"a model's folder cannot be read: {exception.Message}");
        }
    }
}

/// <param name="Path">The full path of its folder or file.</param>
internal sealed record ResolvedModel(RecipeModel Model, string Path);
