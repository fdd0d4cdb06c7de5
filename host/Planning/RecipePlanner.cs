using Merge.Checkpoints;
using Merge.Plugins;
using Merge.Recipes;
using Merge.Sdk;

namespace Merge.Planning;

/// <summary>
/// A recipe to a plan: find the method, find and open the models, bind the options, match the tensors. The checkpoints
/// it opened stay open until it is disposed.
/// </summary>
internal sealed class RecipePlanner : IDisposable
{
    private readonly PluginCatalog _plugins;
    private readonly IReadOnlyList<string> _modelDirs;
    private readonly Dictionary<string, Checkpoint> _open = [];

    /// <summary>What to do where a tensor's shape is not the same in all models.</summary>
    public OnMismatch OnMismatch { get; init; }

    public RecipePlanner(PluginCatalog plugins, IReadOnlyList<string> modelDirs)
    {
        _plugins = plugins;
        _modelDirs = modelDirs;
    }

    /// <param name="recipe">The recipe, parsed.</param>
    /// <param name="maxShardBytes">Largest output file.</param>
    /// <exception cref="MergeException">What is wrong with recipe or models.</exception>
    public MergePlan Plan(Recipe recipe, long maxShardBytes)
    {
        var method = FindMethod(recipe);
        var resolved = ResolvedRecipe.Of(recipe, ModelPlaces.Of(recipe.Path, _modelDirs));
        var models = resolved.ModelsFor(method.Info.Base);
        CheckCounts(method.Info, resolved, models);
        var bound = OptionsBinder.Bind(
            OptionsSchema.Of(method.Strategy.OptionsType),
            resolved.Recipe,
            [.. models.Select(m => m.Model)],
            method.Id,
            parameter => MethodsWith(parameter, method));
        var options = bound.Create();
        OpenAll(resolved, bound);

        var baseModel = resolved.Base is { } b ? Planned(b) : null;
        var planned = models.Select(Planned).ToArray();
        var vocabulary = Vocabulary(resolved, models, baseModel, out var companions, out var warnings);
        var plan = MergePlanner.Plan(new PlanRequest
        {
            Strategy = method.Strategy,
            Plugin = new(method.Plugin.Name, method.Plugin.Version ?? "", method.Plugin.Digest),
            Origin = new(
                recipe.Text,
                [.. models.Append(resolved.Base).OfType<ResolvedModel>().Select(m => m.Model.Model.Text).Distinct()],
                resolved.Base?.Model.Model.Text),
            Models = planned,
            Base = method.Info.Base is InputRole.Required or InputRole.Optional ? baseModel : null,
            Donor = baseModel ?? planned[0],
            SideFiles = SideFiles(bound, recipe.Path),
            Options = _ => options,
            OutType = recipe.OutDType ?? recipe.DType,
            Seed = recipe.Seed,
            MaxShardBytes = maxShardBytes,
            Vocabulary = vocabulary,
            Companions = companions,
            OnMismatch = OnMismatch,
        });
        return plan with { Warnings = [.. bound.Warnings, .. warnings, .. plan.Warnings] };
    }

    public void Dispose()
    {
        foreach (var checkpoint in _open.Values)
            checkpoint.Dispose();
    }

    private VocabularyMapping? Vocabulary(
        ResolvedRecipe resolved,
        IReadOnlyList<ResolvedModel> models,
        PlannedModel? baseModel,
        out CompanionFiles companions,
        out IReadOnlyList<Diagnostic> warnings)
    {
        var recipe = resolved.Recipe;
        (PlannedModel Model, string Path)[] all =
        [
            .. models.Append(resolved.Base).OfType<ResolvedModel>().DistinctBy(m => m.Path).Select(m => (Planned(m), m.Path)),
        ];
        var planner = new VocabularyPlanner(recipe, all, baseModel, ModelPlaces.Of(recipe.Path, _modelDirs));
        var mapping = planner.Plan();
        var found = new List<Diagnostic>(planner.Warnings);
        var donorFirst = all.Select(m => m.Model).OrderByDescending(m => m == baseModel);
        companions = new CompanionFiles { ChatTemplate = ChatTemplatePlanner.Plan(recipe, [.. donorFirst], found) };
        warnings = found;
        return mapping;
    }

    private StrategyEntry FindMethod(Recipe recipe)
    {
        try
        {
            return _plugins.Find(recipe.Method);
        }
        catch (MergeException unknown)
        {
            throw new MergeException(
                [.. unknown.Diagnostics.Select(d => d with { Where = $"{recipe.Path}, line {recipe.MethodLine}" })])
            {
                WrongUsage = true,
            };
        }
    }

    private string[] MethodsWith(string parameter, StrategyEntry except) =>
    [
        .. _plugins.Methods
            .Where(m => m.Id != except.Id && OptionsSchema.Of(m.Strategy.OptionsType).Find(parameter) is not null)
            .Select(m => m.Id),
    ];

    private static void CheckCounts(StrategyInfo info, ResolvedRecipe resolved, IReadOnlyList<ResolvedModel> models)
    {
        var problems = new List<Diagnostic>();
        var where = $"{resolved.Recipe.Path}, line {resolved.Recipe.MethodLine}";
        if (info.Base == InputRole.Required && resolved.Base is null)
        {
            problems.Add(new Diagnostic($"{info.Id} needs a base model")
            {
                Where = where,
                Fix = "Add 'base_model:' with the model the others were fine-tuned from.",
            });
        }
        if (models.Count < info.MinModels || models.Count > info.MaxModels)
        {
            var most = info.MaxModels == int.MaxValue ? " or more" : info.MaxModels == info.MinModels ? "" : $" to {info.MaxModels}";
            problems.Add(new Diagnostic(
                $"{info.Id} is given {models.Count} model{(models.Count == 1 ? "" : "s")}"
                + (info.Base is InputRole.Required or InputRole.Optional ? ", the base not counted" : ""))
            {
                Expected = $"{info.MinModels}{most}",
                Where = where,
            });
        }
        if (problems.Count > 0)
            throw new MergeException(problems) { WrongUsage = true };
    }

    /// <summary>Opens every checkpoint, each once, and reports all that cannot be.</summary>
    private void OpenAll(ResolvedRecipe resolved, BoundOptions bound)
    {
        var paths = resolved.Models.Append(resolved.Base).OfType<ResolvedModel>().Select(m => m.Path)
            .Concat(SideParameters(bound).Select(s => SidePath(s.File, resolved.Recipe.Path)));
        var problems = new List<Diagnostic>();
        foreach (var path in paths.Distinct())
        {
            try
            {
                _open[path] = Checkpoint.Open(path);
            }
            catch (MergeException fault)
            {
                problems.AddRange(fault.Diagnostics);
            }
        }
        if (problems.Count > 0)
            throw new MergeException(problems);
    }

    private PlannedModel Planned(ResolvedModel model) => new(model.Model.Model.Text, _open[model.Path]);

    private SideFile[] SideFiles(BoundOptions bound, string recipePath) =>
    [
        .. SideParameters(bound).Select(s => new SideFile(
            s.Input.Name, s.Model, s.Input.Suffix, s.File, _open[SidePath(s.File, recipePath)])),
    ];

    private static IEnumerable<(SideInputAttribute Input, int Model, string File)> SideParameters(BoundOptions bound) =>
        from parameter in bound.Parameters
        where parameter.Schema.SideInput is not null
        from value in parameter.Values.Index()
        where value.Item.Value is string
        select (parameter.Schema.SideInput, value.Index, (string)value.Item.Value!);

    private static string SidePath(string file, string recipePath) =>
        Path.GetFullPath(file, Path.GetDirectoryName(Path.GetFullPath(recipePath))!);
}
